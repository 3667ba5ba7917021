"""notify's settings, with one block for each provider."""

from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import DirectoryPath, Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from shared.runtime.http.identity.config import OidcSettings


class NotifySettings(OidcSettings):
    """notify's settings besides the runtime's; every environment variable has the prefix JIESU_."""

    model_config = SettingsConfigDict(env_ignore_empty=True)

    production_fields: ClassVar[frozenset[str]] = OidcSettings.production_fields | {"organisation", "sealing_keys", "follow_key"}

    organisation: Path = Field(Path("organisation.yaml"), description="the organisation file: people, roles, addresses, sources")
    zone: str = Field("Asia/Shanghai", description="time zone of instants in messages and of the quiet hours")
    templates: DirectoryPath | None = Field(
        None, description="folder with custom templates; each replaces the installed one of the same name"
    )
    complainant_language: Literal["zh", "en"] = Field("zh", description="language of messages to complainants")
    default_channels: tuple[str, ...] = Field(("email",), description="channels of a request that names none, as a JSON list")
    phone_region: str = Field("CN", description="country of phone numbers without a country code (ISO 3166)")
    quiet_hours: str = Field("", description="e.g. 22:00-08:00: text messages that are not urgent wait for the end; empty: none")

    digest_after: int = Field(
        2, ge=0, description="messages that a person gets singly on a channel within the window; further ones are collected"
    )
    digest_window: float = Field(900.0, ge=0, description="seconds of domain time that a digest collects; 0: every message comes singly")
    digest_urgent_gap: float = Field(
        60.0, ge=0, description="seconds at most that urgent messages beyond the limit wait for each other; 0: none waits"
    )

    follow_key: SecretStr = Field(SecretStr(""), description="the secret of sla's codes for complainants; empty: messages have no codes")
    follow_url: str = Field(
        "", description="public address of sla's page for complainants, such as https://complaints.example.org/f; empty: no links"
    )

    delivery_attempts: int = Field(10, ge=1, description="attempts until a message has finally failed")
    delivery_retry_first: float = Field(5.0, gt=0, description="seconds before the second attempt; doubles from there, with jitter")
    delivery_retry_longest: float = Field(900.0, gt=0, description="seconds between two attempts at most")
    delivery_patience: float = Field(
        86_400.0, gt=0, description="seconds after which a message has finally failed, however many attempts were made"
    )
    delivery_concurrency: int = Field(20, ge=1, le=500, description="messages of one channel that a process sends concurrently")
    delivery_lane_share: float = Field(
        0.5,
        gt=0,
        le=1,
        description="the share of them that one slow peer, such as a mail domain, takes at most; others keep the rest",
    )
    delivery_lease: float = Field(90.0, gt=0, description="seconds until another process may claim the message; longer than any timeout")
    delivery_poll: float = Field(0.5, gt=0, description="poll interval in seconds for due messages; 10 seconds while there are none")
    delivery_retention_days: int = Field(90, ge=1, description="days that settled deliveries are stored for late receipts")

    providers: Path | None = Field(
        None,
        description="the providers file: several providers a channel, and kinds that have no settings here; its channels replace those",
    )
    receipts_url: str = Field(
        "", description="public address of notify's receipts, such as https://complaints.example.org/v1/receipts, which gateways are given"
    )

    smtp_host: str = Field("", description="mail server; empty: no e-mail is sent, every one fails visibly")
    smtp_port: int = Field(587, ge=1, le=65535, description="its port: 587 with STARTTLS, 465 with TLS")
    smtp_security: Literal["none", "starttls", "tls"] = Field("starttls", description="use none only for a server on this machine")
    smtp_username: str = Field("", description="name for the login; empty: no login")
    smtp_password: SecretStr = Field(SecretStr(""), description="its password")
    smtp_sender: str = Field("jiesu@localhost", description="From of every mail; its domain ends the Message-IDs")
    smtp_html: bool = Field(default=True, description="send an HTML twin beside the text of a mail")
    smtp_dkim_selector: str = Field("", description="selector of the DKIM key in DNS, <selector>._domainkey.<domain>; empty: no signature")
    smtp_dkim_key_file: Path | None = Field(None, description="the private RSA key in PEM that signs mails")
    smtp_dkim_domain: str = Field("", description="signing domain; empty: that of the sender")
    smtp_timeout: float = Field(20.0, gt=0, description="seconds for one attempt")
    mail_key: SecretStr = Field(
        SecretStr(""),
        description="the secret of references in mails, the same for intake and notify; empty: replies and bounces find no case",
    )
    mail_reply_address: str = Field(
        "", description="address for replies, e.g. case@example.org; mails get case+<token>@example.org; empty: none"
    )
    smtp_ca_file: str = Field("", description="authority of the server's certificate; empty: the system's")

    sms_url: str = Field("", description="HTTP gateway for text messages; empty: none is sent, every one fails visibly")
    sms_token: SecretStr = Field(SecretStr(""), description="bearer token for the gateway")
    sms_receipt_secret: SecretStr = Field(SecretStr(""), description="key of the receipts' HMAC; empty: no receipt is accepted")
    sms_sender: str = Field("", description="sender's name or number, in the form that the gateway requires")
    sms_timeout: float = Field(10.0, gt=0, description="seconds for one attempt")

    @model_validator(mode="after")
    def _dkim_has_selector_and_key(self) -> Self:
        if bool(self.smtp_dkim_selector) != (self.smtp_dkim_key_file is not None):
            raise ValueError("smtp_dkim_selector and smtp_dkim_key_file: a signature needs both; set both or none")
        return self

    @model_validator(mode="after")
    def _lease_outlasts_attempts(self) -> Self:
        longest = max(self.smtp_timeout, self.sms_timeout)
        if self.delivery_lease < longest * 1.5:
            raise ValueError(f"delivery_lease must be at least 1.5 times the longest timeout ({longest} s), or messages are sent twice")
        return self
