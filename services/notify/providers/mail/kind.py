"""The kind `smtp` of the providers file."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from services.notify.providers.kind import ProviderContext, ProviderKind, ProviderSettings, SecretName
from services.notify.providers.mail.composing import MailSender
from services.notify.providers.mail.dkim_signing import DkimOptions, DkimSigner
from services.notify.providers.mail.layout_file import load_mail_layout
from services.notify.providers.mail.sessions import SmtpOptions
from services.notify.providers.mail.smtp import SmtpProvider
from shared.contracts.mail_references import mail_key
from shared.runtime.clock import Clock


class SmtpSettings(ProviderSettings):
    """The settings of kind `smtp`."""

    host: str = Field(min_length=1)
    port: int = Field(587, ge=1, le=65535)
    security: Literal["none", "starttls", "tls"] = "starttls"
    username: str = ""
    password_env: SecretName = ""
    sender: str = Field("jiesu@localhost", description="From of every mail: name <address>; its domain ends the Message-IDs")
    ca_file: str = ""
    mail_key_env: SecretName = ""
    reply_address: str = Field("", description="address for replies; with mail_key_env each case's has a token: case+<token>@…")
    html: bool = Field(default=True, description="send an HTML twin beside the text")
    templates: Path | None = Field(None, description="folder whose _layout.html.j2 replaces the installed layout")
    dkim_selector: str = Field("", description="selector of the DKIM key in DNS; empty: no signature")
    dkim_key_file: Path | None = Field(None, description="the private RSA key in PEM that signs mails")
    dkim_domain: str = Field("", description="signing domain; empty: that of the sender")

    @model_validator(mode="after")
    def _dkim_has_selector_and_key(self) -> Self:
        if bool(self.dkim_selector) != (self.dkim_key_file is not None):
            raise ValueError("dkim_selector and dkim_key_file: a signature needs both; set both or none")
        return self


def build_smtp(settings: SmtpSettings, password: str, clock: Clock, timeout: float, mail_secret: str = "") -> SmtpProvider:
    """The provider; with `mail_secret`, the text of intake's JIESU_MAIL_KEY, intake recognises replies and reports.

    Raises `Misconfigured` for a key that cannot sign, `ValueError` for a layout or a sender that cannot be used.
    """
    options = SmtpOptions(
        host=settings.host,
        port=settings.port,
        security=settings.security,
        username=settings.username,
        password=password,
        sender=settings.sender,
        timeout=timeout,
        ca_file=settings.ca_file,
        mail_key=mail_key(mail_secret) if mail_secret else None,
        reply_address=settings.reply_address,
    )
    layout = load_mail_layout(settings.templates) if settings.html else None
    return SmtpProvider(options, clock, layout, _signer(settings))


def _signer(settings: SmtpSettings) -> DkimSigner | None:
    if settings.dkim_key_file is None:
        return None
    domain = settings.dkim_domain or MailSender.parse(settings.sender).domain
    return DkimSigner(DkimOptions(domain, settings.dkim_selector, settings.dkim_key_file))


def _build(settings: SmtpSettings, context: ProviderContext) -> SmtpProvider:
    return build_smtp(
        settings, context.secret(settings.password_env), context.clock, context.timeout, context.secret(settings.mail_key_env)
    )


KIND = ProviderKind("email", SmtpSettings, _build)
