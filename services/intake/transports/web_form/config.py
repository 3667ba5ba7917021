"""Settings of the web form, which IntakeSettings inherits."""

from pydantic import Field, SecretStr

from shared.runtime.process.settings import RuntimeSettings


class WebFormSettings(RuntimeSettings):
    """Protection of the form, and the target of its code; the organisation file defines the sources with a form, and its fields."""

    form_key: SecretStr = Field(
        SecretStr(""), description="secret that signs forms, the same in every process of intake; empty: made from the last sealing key"
    )
    form_min_seconds: float = Field(3.0, ge=0, description="a form that is sent sooner after it was opened is shown again: people type")
    form_max_hours: float = Field(24.0, gt=0, le=720, description="hours for which an opened form can be sent")
    follow_url: str = Field(
        "", description="public address of sla's page for complainants, such as https://complaints.example.org/f; empty: no link to it"
    )
