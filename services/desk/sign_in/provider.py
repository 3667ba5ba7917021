"""The desk as a client of the identity provider: code flow with PKCE, renewal, end of sessions (OpenID Connect Core 3.1)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx

from services.desk.sign_in.config import SignInSettings
from services.desk.sign_in.secrets_of_browsers import pkce_challenge
from shared.procedures.organisation import Organisation, Person
from shared.runtime.clock import Clock, monotonic
from shared.runtime.http.identity.people import person_of_account
from shared.runtime.http.identity.provider_keys import ProviderKeys, ProviderUnavailableError, provider_client, read_metadata
from shared.runtime.http.identity.tokens import SignedTokens, TokenRefusedError, account_of, check_required_claims

CALLBACK_PATH = "/sign-in/callback"
SIGNED_OUT_PATH = "/signed-out"
_ID_TOKEN_TYPES = frozenset({"", "jwt"})
_LOGOUT_TOKEN_TYPES = frozenset({"", "jwt", "logout+jwt"})
_LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
_METADATA_SECONDS = 600.0
_BAD_REQUEST, _SERVER_ERROR = 400, 500


class SignInRefusedError(Exception):
    """The provider's answer is not accepted; `rule` names what it breaks."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


@dataclass(frozen=True, slots=True)
class ProviderTokens:
    """The provider's answer to a code: the token for the services, and how to renew and to end it."""

    access: str
    refresh: str
    identity: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class ProviderSignIn:
    """A person who signed in at the provider, whose names for him and his session are `subject` and `provider_session`."""

    person: Person
    tokens: ProviderTokens
    subject: str
    provider_session: str


class IdentityProvider:
    """Speaks to the provider of the settings."""

    def __init__(self, settings: SignInSettings, organisation: Organisation, clock: Clock) -> None:
        self._settings = settings
        self._organisation = organisation
        self._clock = clock
        keys = ProviderKeys(settings.oidc_issuer, settings.oidc_jwks_url, settings.oidc_keys_seconds)
        self._signed = SignedTokens(keys, settings.oidc_issuer, settings.accepted_algorithms, settings.oidc_clock_skew)
        self._metadata: dict[str, Any] = {}
        self._metadata_read_at = 0.0

    async def authorization_url(self, state: str, nonce: str, verifier: str) -> str:
        """Where the browser is sent to sign in; raises `ProviderUnavailableError`."""
        query = {
            "response_type": "code",
            "client_id": self._settings.desk_client_id,
            "redirect_uri": self._redirect_uri,
            "scope": self._settings.desk_scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": pkce_challenge(verifier),
            "code_challenge_method": "S256",
        }
        endpoint = await self._endpoint("authorization_endpoint")
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    async def redeem(self, code: str, verifier: str, nonce: str) -> ProviderSignIn:
        """Exchange a code for tokens and check them; raises `SignInRefusedError` or `ProviderUnavailableError`."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self._redirect_uri, "code_verifier": verifier}
        tokens = await self._request_tokens(form)
        try:
            claims = await self._signed.verify(tokens.identity, self._settings.desk_client_id, self._clock.real_now(), _ID_TOKEN_TYPES)
            check_required_claims(claims, self._settings.required_claims)
            account = account_of(claims, self._settings.oidc_person_claim)
        except TokenRefusedError as refused:
            raise SignInRefusedError(refused.rule) from None
        # Core 3.1.3.7: without it an ID token that was caught elsewhere could be put in.
        if not nonce or not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            raise SignInRefusedError("nonce")
        if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and claims.get("azp") != self._settings.desk_client_id:
            raise SignInRefusedError("azp")
        person = person_of_account(self._organisation, account)
        if person is None:
            raise SignInRefusedError("person")
        return ProviderSignIn(person, tokens, str(claims["sub"]), str(claims.get("sid", "")))

    async def renew(self, refresh: str, identity: str) -> ProviderTokens:
        """New tokens for a refresh token; raises `SignInRefusedError` once the provider has ended the session."""
        renewed = await self._request_tokens({"grant_type": "refresh_token", "refresh_token": refresh})
        # Core 12.2: a renewal may leave out the ID token, and a provider that does not rotate the refresh token.
        return ProviderTokens(renewed.access, renewed.refresh or refresh, renewed.identity or identity, renewed.expires_at)

    async def end_session_url(self, identity: str) -> str:
        """Where the browser ends the session at the provider; empty for a provider without such a page."""
        try:
            endpoint = await self._endpoint("end_session_endpoint")
        except ProviderUnavailableError:
            return ""
        query = {"id_token_hint": identity, "post_logout_redirect_uri": f"{self._settings.desk_url}{SIGNED_OUT_PATH}"}
        return f"{endpoint}?{urlencode({**query, 'client_id': self._settings.desk_client_id})}"

    async def read_logout_token(self, token: str) -> tuple[str, str]:
        """Session and subject that a logout token ends (OpenID Connect Back-Channel Logout 1.0, 2.6); raises `SignInRefusedError`."""
        try:
            claims = await self._signed.verify(token, self._settings.desk_client_id, self._clock.real_now(), _LOGOUT_TOKEN_TYPES)
        except TokenRefusedError as refused:
            raise SignInRefusedError(refused.rule) from None
        events = claims.get("events")
        # A nonce would make it an ID token, which its holder could send to sign somebody out.
        if not isinstance(events, dict) or _LOGOUT_EVENT not in events or "nonce" in claims:
            raise SignInRefusedError("events")
        return str(claims.get("sid", "")), str(claims.get("sub", ""))

    @property
    def _redirect_uri(self) -> str:
        # From the settings: a Host header that somebody forged must not lead the code away.
        return f"{self._settings.desk_url}{CALLBACK_PATH}"

    async def _endpoint(self, name: str) -> str:
        if not self._metadata or monotonic() - self._metadata_read_at > _METADATA_SECONDS:
            async with provider_client() as client:
                self._metadata = await read_metadata(client, self._settings.oidc_issuer)
            self._metadata_read_at = monotonic()
        endpoint = self._metadata.get(name)
        if not isinstance(endpoint, str) or not endpoint:
            raise ProviderUnavailableError(f"the provider's metadata have no {name}")
        return endpoint

    async def _request_tokens(self, form: dict[str, str]) -> ProviderTokens:
        endpoint = await self._endpoint("token_endpoint")
        secret = self._settings.desk_client_secret.get_secret_value()
        # client_secret_post: with Basic, providers differ in whether a secret is form-encoded first (RFC 6749, 2.3.1).
        sent = {**form, "client_id": self._settings.desk_client_id, **({"client_secret": secret} if secret else {})}
        now = self._clock.real_now()
        try:
            async with provider_client() as client:
                response = await client.post(endpoint, data=sent, headers={"Accept": "application/json"})
            document = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ProviderUnavailableError(f"the provider's token endpoint cannot be used ({type(error).__name__})") from error
        if response.status_code >= _SERVER_ERROR or not isinstance(document, dict):
            raise ProviderUnavailableError("the provider's token endpoint failed")
        if response.status_code >= _BAD_REQUEST:
            raise SignInRefusedError("code")
        texts = {name: document.get(name) or "" for name in ("access_token", "refresh_token", "id_token")}
        if not all(isinstance(text, str) for text in texts.values()) or not texts["access_token"]:
            raise SignInRefusedError("tokens")
        seconds = document.get("expires_in")
        expires_at = now + timedelta(seconds=seconds) if isinstance(seconds, int) and 0 < seconds < 10**9 else None
        return ProviderTokens(texts["access_token"], texts["refresh_token"], texts["id_token"], expires_at)
