"""Access tokens of an identity provider that speaks the protocol over HTTP."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import Request
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from joserfc.jws import JWSRegistry
from joserfc.registry import HeaderParameter

from shared.procedures.organisation import Organisation
from shared.runtime.clock import Clock
from shared.runtime.errors import Misconfigured
from shared.runtime.http.identity import provider_keys
from shared.runtime.http.identity.access_tokens import claim_at
from shared.runtime.http.identity.config import OidcSettings
from shared.runtime.http.identity.people import open_people
from shared.runtime.http.problem import HttpProblem
from tests.support.servers.oidc_provider import OidcProvider, rsa_key

PEOPLE: list[dict[str, Any]] = [
    {"id": "li", "roles": ["assistant"]},
    {"id": "zhao", "roles": ["handler"], "account": "ZhaoWei"},
]
ORGANISATION = Organisation.model_validate({"id": "estate", "people": PEOPLE})
STRANGERS_KEY = RSAKey.generate_key(2048, {"kid": "first"})


def critical_header(provider: OidcProvider) -> str:
    registry = JWSRegistry({"urgent": HeaderParameter("a parameter of somebody else", "bool")}, strict_check_header=False)
    header = {"alg": "RS256", "kid": "first", "crit": ["urgent"], "urgent": True}
    return jwt.encode(header, {"iss": provider.issuer}, provider.keys[0], registry=registry)


class MonotonicClock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def provider() -> Iterator[OidcProvider]:
    with OidcProvider() as listening:
        yield listening


@pytest.fixture
def monotonic(monkeypatch: pytest.MonkeyPatch) -> MonotonicClock:
    clock = MonotonicClock()
    monkeypatch.setattr(provider_keys, "monotonic", clock)
    return clock


def settings(provider: OidcProvider, **options: Any) -> OidcSettings:
    return OidcSettings(environment="test", oidc_issuer=provider.issuer, **options)


class Asking:
    """Sends tokens to one service's authentication."""

    def __init__(self, provider: OidcProvider, **options: Any) -> None:
        self._people = open_people(ORGANISATION, settings(provider, **options), Clock())

    async def __call__(self, token: str) -> tuple[int, str]:
        """200 and the person, or the status and the reason."""
        try:
            headers = [(b"authorization", f"Bearer {token}".encode())]
            person = await self._people.person(Request({"type": "http", "headers": headers}))
        except HttpProblem as problem:
            return problem.type.status, problem.detail
        return (401, "no token of a person") if person is None else (200, person.id)


async def test_token_of_the_provider_is_accepted_for_the_person_of_its_claim(provider: OidcProvider) -> None:
    assert await Asking(provider)(provider.access_token()) == (200, "li")
    assert provider.requests == ["openid-configuration", "certs"]


async def test_person_is_found_by_the_account_of_the_organisation_file(provider: OidcProvider) -> None:
    asking = Asking(provider)
    assert await asking(provider.access_token(preferred_username="ZhaoWei")) == (200, "zhao")
    # Somebody who registers the user name `zhao` at the provider is not Zhao.
    assert (await asking(provider.access_token(preferred_username="zhao")))[0] == 401
    assert (await asking(provider.access_token(preferred_username="nobody")))[0] == 401


async def test_wecom_claims_are_mapped_by_configuration(provider: OidcProvider) -> None:
    asking = Asking(provider, oidc_person_claim="wecom.userid", oidc_required_claims="corpid=ww01")
    assert await asking(provider.access_token(wecom={"userid": "ZhaoWei"}, corpid="ww01")) == (200, "zhao")
    assert (await asking(provider.access_token(wecom={"userid": "ZhaoWei"}, corpid="ww02")))[0] == 401
    assert (await asking(provider.access_token(wecom={"userid": "ZhaoWei"})))[0] == 401
    assert (await asking(provider.access_token(corpid="ww01")))[0] == 401


async def test_roles_of_a_token_give_nothing(provider: OidcProvider) -> None:
    people = open_people(ORGANISATION, settings(provider), Clock())
    token = provider.access_token(roles=["management"], realm_access={"roles": ["management"]}, groups=["/management"])
    person = await people.person(Request({"type": "http", "headers": [(b"authorization", f"Bearer {token}".encode())]}))
    assert person is ORGANISATION.person("li")
    assert person is not None
    assert person.roles == ["assistant"]


def unsigned(provider: OidcProvider) -> str:
    parts = provider.access_token().split(".")
    header = base64.urlsafe_b64encode(json.dumps({"alg": "none", "kid": "first"}).encode()).decode().rstrip("=")
    return f"{header}.{parts[1]}."


def symmetric(provider: OidcProvider) -> str:
    """HS256 with the provider's public key as the secret: the oldest trick against libraries that take the header's algorithm."""
    now = int(time.time())
    claims = {"iss": provider.issuer, "aud": "jiesu", "sub": "f3a1", "exp": now + 300, "preferred_username": "li"}
    secret = OctKey.import_key(provider.keys[0].as_pem(private=False).hex())
    return jwt.encode({"alg": "HS256", "kid": "first"}, claims, secret, algorithms=["HS256"])


def changed_claims(provider: OidcProvider) -> str:
    header, payload, signature = provider.access_token().split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))) | {"preferred_username": "ZhaoWei"}
    return f"{header}.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.{signature}"


REFUSED: dict[str, Callable[[OidcProvider], str]] = {
    "issuer": lambda provider: provider.access_token(iss="http://127.0.0.1:1/realms/estate"),
    "no issuer": lambda provider: provider.access_token(iss=None),
    "audience": lambda provider: provider.access_token(aud="another-application"),
    "no audience": lambda provider: provider.access_token(aud=None),
    "expired": lambda provider: provider.access_token(exp=int(time.time()) - 31),
    "no expiry": lambda provider: provider.access_token(exp=None),
    "expiry that is no number": lambda provider: provider.access_token(exp="tomorrow"),
    "not yet valid": lambda provider: provider.access_token(nbf=int(time.time()) + 100),
    "alg none": unsigned,
    "alg HS256": symmetric,
    "another's key of the same id": lambda provider: provider.access_token(STRANGERS_KEY),
    "changed claims": changed_claims,
    "critical header": critical_header,
    "ID token": lambda provider: provider.access_token(typ="ID"),
    "no person": lambda provider: provider.access_token(preferred_username=None),
    "person that is no text": lambda provider: provider.access_token(preferred_username=["li"]),
    "too long": lambda provider: provider.access_token(padding="x" * 16_384),
    "no JWT": lambda _: "a.b.c",
    "type": lambda provider: provider.access_token(header={"typ": "logout+jwt"}),
}


@pytest.mark.parametrize("kind", REFUSED)
async def test_token_that_is_not_right_in_one_point_is_refused(provider: OidcProvider, kind: str) -> None:
    asking = Asking(provider)
    assert await asking(provider.access_token()) == (200, "li")
    status, reason = await asking(REFUSED[kind](provider))
    assert (status, reason.startswith("Authorization: ")) == (401, True)


async def test_clock_skew_is_allowed_for(provider: OidcProvider) -> None:
    now = int(time.time())
    asking = Asking(provider, oidc_clock_skew=120)
    assert await asking(provider.access_token(exp=now - 60, nbf=now + 60, iat=now + 60)) == (200, "li")


async def test_algorithm_that_is_not_on_the_list_is_refused(provider: OidcProvider) -> None:
    provider.keys = [ECKey.generate_key("P-256", {"kid": "curve"})]
    assert await Asking(provider)(provider.access_token()) == (200, "li")
    assert (await Asking(provider, oidc_algorithms="RS256")(provider.access_token()))[0] == 401


async def test_rotated_key_is_read_and_unknown_ids_read_at_most_once_a_minute(provider: OidcProvider, monotonic: MonotonicClock) -> None:
    asking, old = Asking(provider), provider.access_token()
    assert await asking(old) == (200, "li")
    provider.keys = [rsa_key("second")]
    monotonic.seconds += 61
    assert await asking(provider.access_token()) == (200, "li")
    assert provider.requests.count("certs") == 2
    for number in range(20):
        assert (await asking(provider.access_token(header={"kid": f"made-up-{number}"})))[0] == 401
    assert provider.requests.count("certs") == 2
    # The withdrawn key is unknown at once.
    assert (await asking(old))[0] == 401


async def test_withdrawn_key_is_refused_once_the_keys_are_read_again(provider: OidcProvider, monotonic: MonotonicClock) -> None:
    asking, old = Asking(provider, oidc_keys_seconds=600), provider.access_token()
    assert await asking(old) == (200, "li")
    provider.keys = [rsa_key("second")]
    monotonic.seconds += 601
    assert (await asking(old))[0] == 401


async def test_known_keys_hold_while_the_provider_is_away(provider: OidcProvider, monotonic: MonotonicClock) -> None:
    asking = Asking(provider)
    provider.failing = True
    status, _ = await asking(provider.access_token())
    assert status == 503
    provider.failing = False
    monotonic.seconds += 61
    assert await asking(provider.access_token()) == (200, "li")
    provider.failing = True
    monotonic.seconds += 3600
    assert await asking(provider.access_token()) == (200, "li")
    monotonic.seconds += 86_400
    assert (await asking(provider.access_token()))[0] == 503


async def test_metadata_of_another_issuer_are_not_used(provider: OidcProvider) -> None:
    other = Asking(provider)
    token = provider.access_token()
    provider.issuer = f"{provider.issuer}/other"
    assert (await other(token))[0] == 503


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"oidc_algorithms": "HS256"}, "JIESU_OIDC_ALGORITHMS"),
        ({"oidc_algorithms": "none"}, "JIESU_OIDC_ALGORITHMS"),
        ({"oidc_algorithms": ""}, "JIESU_OIDC_ALGORITHMS"),
        ({"oidc_audience": ""}, "JIESU_OIDC_AUDIENCE"),
        ({"oidc_required_claims": "corpid"}, "JIESU_OIDC_REQUIRED_CLAIMS"),
        ({"oidc_issuer": "id.example.org"}, "JIESU_OIDC_ISSUER"),
        ({"oidc_issuer": "http://id.example.org", "environment": "production"}, "JIESU_OIDC_ISSUER"),
        ({"oidc_jwks_url": "http://id.example.org/certs", "environment": "production"}, "JIESU_OIDC_JWKS_URL"),
    ],
)
def test_setting_that_cannot_protect_is_refused_at_start(values: dict[str, Any], named: str) -> None:
    with pytest.raises(Misconfigured, match=named):
        OidcSettings(**({"oidc_issuer": "https://id.example.org", "environment": "test"} | values))


def test_claim_with_a_dot_in_its_name_is_found_before_a_nested_one() -> None:
    claims = {"https://example.org/id": "a", "wecom": {"userid": "b"}, "wecom.userid": "c"}
    assert [claim_at(claims, name) for name in ("https://example.org/id", "wecom.userid", "wecom.corp", "x")] == ["a", "c", None, None]


def test_two_people_cannot_share_an_account() -> None:
    people = [{"id": "a", "account": "x"}, {"id": "b", "account": "x"}]
    with pytest.raises(ValueError, match=r"people\.account"):
        Organisation.model_validate({"id": "estate", "people": people})
