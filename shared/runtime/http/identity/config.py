"""Settings of the identity provider whose access tokens the services accept."""

from typing import ClassVar, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from shared.runtime.errors import Misconfigured
from shared.runtime.process.settings import RuntimeSettings

ASYMMETRIC_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA")
"""Signatures by a key that only the provider has. HS256 is none of them: anyone who can check it can forge it; `none` is no signature."""


def split_list(text: str) -> tuple[str, ...]:
    """The entries of a comma separated list."""
    return tuple(filter(None, (part.strip() for part in text.split(","))))


class OidcSettings(RuntimeSettings):
    """The issuer of access tokens, and the claim that names the person. Without an issuer only static tokens are accepted."""

    production_fields: ClassVar[frozenset[str]] = RuntimeSettings.production_fields | {
        "oidc_issuer",
        "oidc_audience",
        "oidc_jwks_url",
        "oidc_algorithms",
        "oidc_clock_skew",
        "oidc_keys_seconds",
        "oidc_person_claim",
        "oidc_required_claims",
    }

    oidc_issuer: str = Field("", description="issuer of people's access tokens (OpenID Connect), exactly as in `iss`; empty: none")
    oidc_audience: str = Field("jiesu", description="what `aud` of an access token has to contain")
    oidc_jwks_url: str = Field("", description="address of the issuer's keys; empty: that of its .well-known/openid-configuration")
    oidc_algorithms: str = Field("RS256,PS256,ES256", description="signature algorithms that are accepted, comma separated")
    oidc_clock_skew: int = Field(30, ge=0, le=300, description="seconds by which the issuer's clock may differ")
    oidc_keys_seconds: int = Field(600, ge=60, le=86_400, description="seconds after which the issuer's keys are read again")
    oidc_person_claim: str = Field(
        "preferred_username",
        description="claim that names the person, with dots for nested ones; its value is `account` or else `id` of a person of the "
        "organisation file. WeCom: userid",
    )
    oidc_required_claims: str = Field(
        "", description="further claims that a token needs, name=value, comma separated, such as WeCom's corpid=ww0123456789abcdef"
    )

    @property
    def accepted_algorithms(self) -> tuple[str, ...]:
        """The algorithms of `oidc_algorithms`."""
        return split_list(self.oidc_algorithms)

    @property
    def required_claims(self) -> dict[str, str]:
        """The claims of `oidc_required_claims` with their values."""
        return {name: value for name, _, value in (entry.partition("=") for entry in split_list(self.oidc_required_claims))}

    @field_validator("oidc_algorithms")
    @classmethod
    def _algorithms_are_asymmetric(cls, value: str) -> str:
        if not split_list(value) or set(split_list(value)) - set(ASYMMETRIC_ALGORITHMS):
            raise ValueError(f"must be a comma separated list of {', '.join(ASYMMETRIC_ALGORITHMS)}")
        return value

    @field_validator("oidc_required_claims")
    @classmethod
    def _claims_have_values(cls, value: str) -> str:
        if not all(name.strip() and given for name, _, given in (entry.partition("=") for entry in split_list(value))):
            raise ValueError("must read name=value, comma separated")
        return value

    @field_validator("oidc_issuer", "oidc_jwks_url")
    @classmethod
    def _addresses_are_complete(cls, value: str) -> str:
        if value and (urlsplit(value).scheme not in ("https", "http") or not urlsplit(value).hostname):
            raise ValueError("must be an address such as https://id.example.org/realms/estate")
        return value

    @model_validator(mode="after")
    def _provider_can_be_trusted(self) -> Self:
        if self.oidc_issuer and not self.oidc_audience:
            # Any application's token of the same issuer would be accepted.
            raise Misconfigured("JIESU_OIDC_AUDIENCE: must name the audience of the access tokens")
        addresses = {"JIESU_OIDC_ISSUER": self.oidc_issuer, "JIESU_OIDC_JWKS_URL": self.oidc_jwks_url}
        for variable, address in addresses.items():
            # Keys read without TLS are those of whoever is in between.
            if address and self.environment == "production" and not address.startswith("https://"):
                raise Misconfigured(f"{variable}: must begin with https:// in production")
        return self
