"""sla's settings."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field, SecretStr, field_validator

from shared.contracts.attachments import AttachmentKeys
from shared.runtime.http.identity.config import OidcSettings

_SHORTEST_CASE_RETENTION = 400


class SlaSettings(OidcSettings):
    """sla's settings besides the runtime's; every environment variable has the prefix JIESU_."""

    # The sealing keys open contact data for people who may see it; without them nobody sees it.
    production_fields: ClassVar[frozenset[str]] = OidcSettings.production_fields | {
        "organisation",
        "sealing_keys",
        "pseudonym_key",
        "follow_key",
    }

    organisation: Path = Field(Path("organisation.yaml"), description="the organisation file: people, roles, addresses, sources")
    action_wait: float = Field(
        5.0, gt=0, description="seconds that an HTTP action waits until the input has been read past earlier deadlines"
    )
    requests_per_second: float = Field(200.0, gt=0, description="HTTP requests that one person may send per second")
    phone_region: str = Field("CN", description="country of phone numbers without a country code (ISO 3166); the same as for intake")
    pseudonym_key: SecretStr = Field(
        SecretStr(""), description="the pseudonym key of intake, to find cases by phone number; empty: cases are not found by it"
    )
    follow_key: SecretStr = Field(
        SecretStr(""),
        description="secret of the codes with which complainants follow their cases, the same for sla and notify; must never change; "
        "empty: no codes",
    )
    follow_requests_per_second: float = Field(
        2.0, gt=0, description="requests per second with one code; ten times as many with unknown codes in all, then they are refused"
    )
    review_lease_minutes: int = Field(
        30, ge=1, le=1440, description="minutes for which a person who takes a case of the review queue keeps it from others"
    )
    review_retention_days: int = Field(
        0,
        ge=0,
        description="days of domain time that decided reviews are kept, from which `jiesu triage export` takes training data; 0: for ever",
    )
    attachment_key: SecretStr = Field(
        SecretStr(""),
        description="the attachment key of intake, to check references and to sign addresses; empty: attachments are names only",
    )
    attachment_url: str = Field("", description="address of intake in the addresses of attachments; empty: addresses are paths")
    attachment_url_seconds: int = Field(300, ge=10, le=86_400, description="seconds for which the address of an attachment is valid")
    deferred_retention_days: int = Field(
        90, ge=32, description="days of domain time that actions on a case that is never registered are kept; longer than any topic"
    )

    case_retention_days: int = Field(
        0,
        ge=0,
        description="days after its last event at which `jiesu retention` erases the personal data of an ended case, 400 or more; 0: "
        "never. The regulations say how records are closed and bound, not for how long they are kept",
    )

    @field_validator("case_retention_days")
    @classmethod
    def _outlasts_the_binding_of_records(cls, value: int) -> int:
        # The closed records of a year are bound and sealed at its end, from the texts that an erasure takes away.
        if 0 < value < _SHORTEST_CASE_RETENTION:
            raise ValueError(f"must be 0 or at least {_SHORTEST_CASE_RETENTION}: the records of a year are bound after its end")
        return value

    @field_validator("attachment_key")
    @classmethod
    def _attachment_key_is_long_enough(cls, value: SecretStr) -> SecretStr:
        AttachmentKeys.parse(value.get_secret_value())
        return value
