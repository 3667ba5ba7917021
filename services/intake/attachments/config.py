"""Settings of attachments, which IntakeSettings inherits."""

from pydantic import Field, SecretStr, field_validator

from services.intake.attachments.content_types import DEFAULT_TYPES, TYPES
from shared.contracts.attachments import AttachmentKeys
from shared.runtime.process.settings import RuntimeSettings


class AttachmentSettings(RuntimeSettings):
    """The store of attachments and the limits of accepted ones; without a store and a key none are accepted."""

    attachment_store: str = Field("", description="where attachments are kept: a folder, or s3://bucket/prefix; empty: none are taken")
    attachment_key: SecretStr = Field(
        SecretStr(""),
        description="secrets, comma separated, that sign references and addresses of attachments, the same for intake and sla; the first "
        "signs, all check; empty: no attachments are taken",
    )
    attachment_max_bytes: int = Field(20_971_520, ge=1024, description="largest attachment")
    attachment_retention_days: int = Field(
        0,
        ge=0,
        description="days after which `jiesu retention` erases attachments of cases that ended so long ago, and those that no case names; "
        "0: kept as long as the case",
    )
    attachment_types: list[str] = Field(list(DEFAULT_TYPES), description="media types that are taken, by content: a JSON list")
    attachment_clamd: str = Field("", description="clamd that scans every attachment: host:port, or the path of its socket; empty: none")
    attachment_clamd_seconds: float = Field(30.0, gt=0, description="seconds that a scan may take")
    attachment_s3_endpoint: str = Field("", description="address of an S3-compatible server; empty: that of the AWS region")
    attachment_s3_region: str = Field("us-east-1", description="region of the bucket")
    attachment_s3_access_key: SecretStr = Field(SecretStr(""), description="access key id; empty: from the AWS_* variables or the machine")
    attachment_s3_secret_key: SecretStr = Field(SecretStr(""), description="secret access key")

    @field_validator("attachment_types")
    @classmethod
    def _types_are_recognised(cls, value: list[str]) -> list[str]:
        if unknown := [media_type for media_type in value if media_type not in TYPES]:
            raise ValueError(f"{unknown[0]} is not recognised by content; choose from {', '.join(TYPES)}")
        return value

    @field_validator("attachment_key")
    @classmethod
    def _key_is_long_enough(cls, value: SecretStr) -> SecretStr:
        AttachmentKeys.parse(value.get_secret_value())
        return value
