"""Settings of intake."""

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, SecretStr

from services.intake.attachments.config import AttachmentSettings
from services.intake.domain.submission import MAX_FUTURE
from services.intake.transports.imports.config import ImportSettings
from services.intake.transports.web_form.config import WebFormSettings
from shared.runtime.http.identity.config import OidcSettings


class IntakeSettings(AttachmentSettings, ImportSettings, WebFormSettings, OidcSettings):
    """The runtime's settings, those of the transports, and intake's own; each is an environment variable with the prefix JIESU_."""

    production_fields: ClassVar[frozenset[str]] = OidcSettings.production_fields | {
        "organisation",
        "sealing_keys",
        "pseudonym_key",
        "follow_key",
    }

    organisation: Path = Field(Path("organisation.yaml"), description="the organisation file: people, roles, addresses, sources")
    phone_region: str = Field("CN", description="country of phone numbers without a country code (ISO 3166)")
    pseudonym_key: SecretStr = Field(
        SecretStr(""),
        description="secret that recognises the same complainant; must never change; empty: made from the last of the sealing keys",
    )
    follow_key: SecretStr = Field(SecretStr(""), description="the secret of sla's codes for complainants; empty: answers have no codes")
    max_future_seconds: float = Field(
        MAX_FUTURE.total_seconds(),
        ge=0,
        description="how far received_at, registered_at and happened_at may lie after the acceptance, in domain time",
    )
    action_key: SecretStr = Field(
        SecretStr(""),
        description="id:base64 of the 32 bytes of an Ed25519 key that signs supplements of resends; its public key stands under `keys` of "
        "a source of the organisation file; empty: resends with another text are refused",
    )
    mailboxes: Path | None = Field(None, description="the file of mailboxes that mails are taken from; empty: no mail is read")
    mail_key: SecretStr = Field(
        SecretStr(""),
        description="the secret of references in mails, the same for intake and notify; empty: replies and bounces find no case",
    )
    max_complaint_bytes: int = Field(262_144, ge=1024, le=900_000, description="largest complaint that is read")
    max_batch_bytes: int = Field(8_388_608, ge=1024, description="largest body of a batch")
    max_batch_items: int = Field(1000, ge=1, description="most complaints in a batch")
    group_commit_items: int = Field(500, ge=1, description="complaints of concurrent requests that share a transaction at most")
    overload_seconds: float = Field(
        0.25,
        gt=0,
        description="while 32 requests or more wait for their commit, and the first of them longer than this, further ones of sources get "
        "429 with Retry-After; of more than 32 that wait for their transaction to begin, those of sources that waited longer get it too",
    )
    raw_keep: list[Literal["http", "kafka"]] = Field(
        [], description="JSON list of http and kafka: accepted complaints by these are kept as sealed copies too; refused ones always are"
    )
    raw_retention_days: int = Field(90, ge=1, description="days that sealed copies of what arrived are kept")
    refusal_retention_days: int = Field(365, ge=1, description="days that the refusals of submissions are kept, for questions about them")
