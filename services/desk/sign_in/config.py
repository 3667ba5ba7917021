"""Settings of the sign-in."""

from pathlib import Path
from typing import ClassVar, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from shared.runtime.errors import Misconfigured
from shared.runtime.http.identity.config import OidcSettings


class SignInSettings(OidcSettings):
    """How people sign in to the desk: at the identity provider, or in the demo by accounts of a file."""

    production_fields: ClassVar[frozenset[str]] = OidcSettings.production_fields | {"desk_url", "desk_client_id", "desk_client_secret"}

    desk_url: str = Field(
        "", description="public address of the desk, such as https://complaints.example.org/desk; the provider sends people back to it"
    )
    desk_client_id: str = Field("jiesu-desk", description="the desk's client at the identity provider")
    desk_client_secret: SecretStr = Field(SecretStr(""), description="secret of that client; empty: a public client, by PKCE alone")
    desk_scopes: str = Field("openid profile", description="scopes that the desk asks for, separated by blanks")
    desk_accounts: Path | None = Field(
        None, description="file of local accounts (see docs/how-to/sign-in.md), for demo and tests; refused in production"
    )
    desk_idle_minutes: int = Field(30, ge=1, le=1440, description="minutes without a request after which a session ends")
    desk_session_hours: int = Field(10, ge=1, le=168, description="hours after which a session ends however it is used")

    @property
    def has_secure_cookies(self) -> bool:
        """Whether the desk is reached by TLS: its cookies are then never sent without."""
        return self.desk_url.startswith("https://")

    @field_validator("desk_url")
    @classmethod
    def _desk_url_is_complete(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment):
            raise ValueError("must be an address such as https://complaints.example.org/desk, without query or fragment")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _sign_in_is_safe_in_production(self) -> Self:
        if self.oidc_issuer and not self.desk_url:
            raise Misconfigured("JIESU_DESK_URL: must be set with JIESU_OIDC_ISSUER; the provider sends people back to it")
        if self.environment != "production":
            return self
        if self.desk_accounts is not None:
            # A file of passwords has no second factor, no lock and no leaver: it is for trying out.
            raise Misconfigured("JIESU_DESK_ACCOUNTS: must not be set in production; set JIESU_OIDC_ISSUER instead")
        if self.oidc_issuer and not self.has_secure_cookies:
            raise Misconfigured("JIESU_DESK_URL: must begin with https:// in production")
        return self
