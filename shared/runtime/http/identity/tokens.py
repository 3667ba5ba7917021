"""Checks signed tokens (JWT) of the identity provider: signature, issuer, audience, time, and the claims that are demanded."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidClaimError, JoseError, MissingClaimError
from joserfc.jws import JWSRegistry, extract_compact
from joserfc.jwt import JWTClaimsRegistry

from shared.runtime.clock import Clock
from shared.runtime.http.identity.config import OidcSettings
from shared.runtime.http.identity.provider_keys import ProviderKeys

MAX_TOKEN_LENGTH = 16_384
_MAX_HEADER_LENGTH = 4_096
_NO_ACCESS_TOKEN: Final = frozenset({"ID", "Refresh", "Offline", "Logout"})
"""Keycloak's claim `typ`: an ID token states who signed in to a page, not what may be called."""
_ACCESS_TOKEN_TYPES: Final = frozenset({"", "jwt", "at+jwt", "application/at+jwt"})


class TokenRefusedError(Exception):
    """A token that is not accepted; `rule` names what it breaks. Holds nothing of the token."""

    def __init__(self, rule: str, remedy: str) -> None:
        super().__init__(remedy)
        self.rule = rule


class SignedTokens:
    """Verifies tokens of one issuer. `algorithms` is an allow-list: the header of a token states only which of them it used."""

    def __init__(self, keys: ProviderKeys, issuer: str, algorithms: Sequence[str], clock_skew: int) -> None:
        self._keys = keys
        self._issuer = issuer
        # RFC 7515, 4: parameters that are not understood are ignored, unless `crit` names them; providers add x5t and others.
        self._registry = JWSRegistry(algorithms=list(algorithms), strict_check_header=False)
        self._registry.max_header_length = _MAX_HEADER_LENGTH
        self._clock_skew = clock_skew

    async def verify(self, token: str, audience: str, now: datetime, types: frozenset[str] = _ACCESS_TOKEN_TYPES) -> dict[str, Any]:
        """The claims of a token; raises `TokenRefusedError` or `ProviderUnavailableError`."""
        key_id = self._key_id(token, types)
        key = await self._keys.find(key_id)
        if key is None:
            raise TokenRefusedError("key", "no key of the identity provider has the token's kid; sign in again")
        try:
            claims = jwt.decode(token, key, registry=self._registry).claims
        except (JoseError, ValueError) as error:
            raise TokenRefusedError("signature", "the signature is not valid for the provider's key; sign in again") from error
        self._check_claims(claims, audience, now)
        return claims

    def _key_id(self, token: str, types: frozenset[str]) -> str:
        """The key that the header names, once the header is one that is accepted at all."""
        if len(token) > MAX_TOKEN_LENGTH:
            raise TokenRefusedError("length", f"a token has at most {MAX_TOKEN_LENGTH} characters")
        try:
            header = extract_compact(token.encode(), registry=self._registry).headers()
            self._registry.check_header(header)
            self._registry.get_alg(header["alg"])
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise TokenRefusedError("header", "the token is no signed JWT with an algorithm of JIESU_OIDC_ALGORITHMS") from error
        if str(header.get("typ", "")).lower() not in types:
            raise TokenRefusedError("type", "the token is of another type; send the access token")
        key_id = header.get("kid")
        if not isinstance(key_id, str) or not key_id:
            raise TokenRefusedError("key", "the token names no key (kid)")
        return key_id

    def _check_claims(self, claims: dict[str, Any], audience: str, now: datetime) -> None:
        registry = JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=self._clock_skew,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
        )
        try:
            registry.validate(claims)
        except ExpiredTokenError as error:
            raise TokenRefusedError("exp", "the token has expired; sign in again") from error
        except (MissingClaimError, InvalidClaimError) as error:
            name = str(error.claim)
            raise TokenRefusedError(name, f"the claim {name} is missing or not the one that is expected") from error


class PersonTokens:
    """The access tokens of people: verified, and mapped to the name by which the organisation file knows the person."""

    def __init__(self, settings: OidcSettings, keys: ProviderKeys, clock: Clock) -> None:
        self._tokens = SignedTokens(keys, settings.oidc_issuer, settings.accepted_algorithms, settings.oidc_clock_skew)
        self._audience = settings.oidc_audience
        self._required = settings.required_claims
        self._person_claim = settings.oidc_person_claim
        self._clock = clock

    async def account(self, token: str) -> str:
        """The value of the person claim; raises `TokenRefusedError` or `ProviderUnavailableError`.

        Roles and groups of the token are not read: the organisation file alone states who holds a role.
        """
        # Real time: the demo's clock is months away from the issuer's.
        claims = await self._tokens.verify(token, self._audience, self._clock.real_now())
        if claims.get("typ") in _NO_ACCESS_TOKEN:
            raise TokenRefusedError("type", "the token is no access token")
        check_required_claims(claims, self._required)
        return account_of(claims, self._person_claim)


def check_required_claims(claims: Mapping[str, Any], required: Mapping[str, str]) -> None:
    """Raise `TokenRefusedError` unless each claim has its value, or as a list contains it."""
    for name, value in required.items():
        given = claim_at(claims, name)
        if given != value and not (isinstance(given, list) and value in given):
            raise TokenRefusedError("claims", f"the claim {name} is not the one of JIESU_OIDC_REQUIRED_CLAIMS")


def account_of(claims: Mapping[str, Any], person_claim: str) -> str:
    """The value of the claim that names the person; raises `TokenRefusedError`."""
    account = claim_at(claims, person_claim)
    if not isinstance(account, str) or not account.strip():
        raise TokenRefusedError("person", f"the claim {person_claim} of JIESU_OIDC_PERSON_CLAIM is missing")
    return account.strip()


def claim_at(claims: Mapping[str, Any], path: str) -> Any:
    """A claim by its name; where there is none of that whole name, dots lead into nested ones."""
    if path in claims:
        return claims[path]
    value: Any = claims
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
