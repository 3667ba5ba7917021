"""Access tokens for XOAUTH2: from a file, or by the refresh token flow (RFC 6749, section 6)."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
from pydantic import BaseModel, Field, ValidationError

from services.intake.transports.mail.config import OAuth2Settings, secret
from shared.runtime.clock import monotonic

_EARLY_SECONDS = 60.0
"""A token is renewed so long before it expires: a login takes a while, and clocks differ."""
_TIMEOUT_SECONDS = 20.0
_MAX_FILE_BYTES = 20_000


class TokenUnavailableError(OSError):
    """There is no access token at the moment; the text names the remedy and holds no secret."""


class _TokenResponse(BaseModel):
    access_token: str = Field(min_length=1, max_length=20_000, repr=False)
    expires_in: float = Field(default=3600, gt=0)
    refresh_token: str | None = Field(default=None, max_length=20_000, repr=False)


@dataclass
class AccessTokens:
    """The access tokens of one mailbox; `new_client` makes the HTTP client."""

    settings: OAuth2Settings
    new_client: Callable[[], httpx.AsyncClient] = field(
        default=lambda: httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, follow_redirects=False, trust_env=False)
    )
    _token: str = field(default="", init=False, repr=False)
    _valid_until: float = field(default=0.0, init=False)
    _rotated: str = field(default="", init=False, repr=False)
    """The refresh token that replaced that of the environment, for the life of the process."""

    async def current(self) -> str:
        """A token that is valid now; raises `TokenUnavailableError`."""
        if self.settings.token_file is not None:
            # Read at every login: another program keeps the file current.
            return await asyncio.to_thread(self._from_file)
        if monotonic() >= self._valid_until:
            await self._refresh()
        return self._token

    def expire(self) -> None:
        """Forget the token, after a server refused it."""
        self._valid_until = 0.0

    def _from_file(self) -> str:
        path = self.settings.token_file
        try:
            token = path.read_bytes()[:_MAX_FILE_BYTES].decode("ascii").strip() if path else ""
        except (OSError, UnicodeError) as error:
            raise TokenUnavailableError("oauth2.token_file cannot be read; write the access token into it") from error
        if not token:
            raise TokenUnavailableError("oauth2.token_file is empty; write the access token into it")
        return token

    async def _refresh(self) -> None:
        settings = self.settings
        form = {
            "grant_type": "refresh_token",
            "client_id": settings.client_id,
            "refresh_token": self._rotated or secret(settings.refresh_token_env).get_secret_value(),
            "client_secret": secret(settings.client_secret_env).get_secret_value(),
            "scope": settings.scope,
        }
        try:
            async with self.new_client() as client:
                response = await client.post(settings.token_url, data={name: value for name, value in form.items() if value})
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise TokenUnavailableError("oauth2.token_url cannot be reached; check it and the network") from error
        try:
            token = _TokenResponse.model_validate_json(response.content if response.status_code == httpx.codes.OK else b"")
        except ValidationError:
            remedy = "check client_id, client secret and refresh token"
            raise TokenUnavailableError(f"oauth2.token_url gave no token (HTTP {response.status_code}); {remedy}") from None
        self._token = token.access_token
        self._rotated = token.refresh_token or self._rotated
        self._valid_until = monotonic() + max(token.expires_in - _EARLY_SECONDS, _EARLY_SECONDS)
