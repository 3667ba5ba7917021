"""The kind `smtp` of the providers file."""

from typing import Literal

from pydantic import Field

from services.notify.providers.kind import ProviderContext, ProviderKind, ProviderSettings, SecretName
from services.notify.providers.mail.sessions import SmtpOptions
from services.notify.providers.mail.smtp import SmtpProvider


class SmtpSettings(ProviderSettings):
    """The settings of kind `smtp`."""

    host: str = Field(min_length=1)
    port: int = Field(587, ge=1, le=65535)
    security: Literal["none", "starttls", "tls"] = "starttls"
    username: str = ""
    password_env: SecretName = ""
    sender: str = Field("jiesu@localhost", description="From of every mail; its domain ends the Message-IDs")
    ca_file: str = ""


def _build(settings: SmtpSettings, context: ProviderContext) -> SmtpProvider:
    options = SmtpOptions(
        host=settings.host,
        port=settings.port,
        security=settings.security,
        username=settings.username,
        password=context.secret(settings.password_env),
        sender=settings.sender,
        timeout=context.timeout,
        ca_file=settings.ca_file,
    )
    return SmtpProvider(options, context.clock)


KIND = ProviderKind("email", SmtpSettings, _build)
