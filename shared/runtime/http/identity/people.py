"""Finds the person of a request: by his static token of the organisation file, or by his access token of the identity provider."""

import structlog
from fastapi import Request

from shared.procedures.organisation import Organisation, Person
from shared.runtime.clock import Clock
from shared.runtime.http.bearer import BearerTokens, bearer_token, unauthorized
from shared.runtime.http.identity.access_tokens import AccessTokens, TokenRefusedError
from shared.runtime.http.identity.config import OidcSettings
from shared.runtime.http.identity.provider_keys import ProviderKeys, ProviderUnavailableError
from shared.runtime.http.problem import UNAVAILABLE, HttpProblem

_DOTS_OF_JWT = 2
log = structlog.get_logger(__name__)


class PersonAuthentication:
    """The people of one organisation; without `access_tokens` only static tokens are known."""

    def __init__(self, organisation: Organisation, access_tokens: AccessTokens | None = None) -> None:
        self._organisation = organisation
        self._static = BearerTokens((person.token_sha256, person) for person in organisation.people if person.token_sha256)
        self._access_tokens = access_tokens

    async def person(self, request: Request) -> Person | None:
        """The person of the bearer token; None without a token of a person.

        Raises HttpProblem 401 for an access token that is refused, 503 while the provider's keys cannot be read.
        """
        token = bearer_token(request)
        person = self._static.find(token)
        if person is not None or self._access_tokens is None or token.count(".") != _DOTS_OF_JWT:
            return person
        try:
            account = await self._access_tokens.account(token)
        except TokenRefusedError as refused:
            log.info("access token refused", rule=refused.rule)
            raise unauthorized(f"Authorization: {refused}") from None
        except ProviderUnavailableError as error:
            # Not 401: the client would throw away a token that is good.
            raise HttpProblem(UNAVAILABLE, f"Authorization: {error}; try again in a moment") from None
        person = person_of_account(self._organisation, account)
        if person is None:
            log.info("access token of an account without a person")
            raise unauthorized("Authorization: the organisation file has no person with this account; have it added under people")
        return person


def person_of_account(organisation: Organisation, account: str) -> Person | None:
    """The person with this account, else the one with this id and no account of another name."""
    named = next((person for person in organisation.people if person.account == account), None)
    if named is not None:
        return named
    # An id that somebody chose as user name must not become the person whose account is another one.
    person = organisation.person(account)
    return person if person is not None and person.account is None else None


def open_people(organisation: Organisation, settings: OidcSettings, clock: Clock) -> PersonAuthentication:
    """The people of the organisation, with access tokens where an issuer is set."""
    if not settings.oidc_issuer:
        return PersonAuthentication(organisation)
    keys = ProviderKeys(settings.oidc_issuer, settings.oidc_jwks_url, settings.oidc_keys_seconds)
    return PersonAuthentication(organisation, AccessTokens(settings, keys, clock))
