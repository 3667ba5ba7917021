"""The demo's further ways in and out: intake's mail port, and text messages by two providers, SMPP and HTTP."""

from __future__ import annotations

import secrets
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import yaml

from cli.stack.stack import wait_listening
from deploy.embedded.process import ManagedProcess

TRANSPORT_LABELS = {"http": "HTTP", "batch": "HTTP batch", "kafka": "Kafka"}
PROVIDER_LABELS = {"gateway": "HTTP", "carrier": "SMPP", "smtp": "mail"}
"""The demo's ways in and out in the printed summary, where their own names are not clear."""
MAIL_SOURCE, MAIL_ADDRESS = "property-mail", "tousu@yunshan.example"


@dataclass(frozen=True, slots=True)
class DemoChannels:
    """The port of intake for mails, and what the services have to know of the channels."""

    mail_port: int
    environment: dict[str, str]
    smsc: ManagedProcess | None

    def wait_ready(self) -> None:
        """Wait until the SMSC listens; raises `ClickException` where it does not."""
        if self.smsc is not None:
            wait_listening(self.smsc)


@contextmanager
def demo_channels(root: Path, ports: Mapping[str, int]) -> Iterator[DemoChannels]:
    """Write the files of mailboxes and providers, and run the SMSC for the length of the block; without the extra `smpp` there is none.

    `ports` are those of `sms`, `mail` and `smpp`.
    """
    sms_url, mail_port, smpp_port = f"http://127.0.0.1:{ports['sms']}", ports["mail"], ports["smpp"]
    has_smpp = find_spec("smpp34") is not None
    smsc = ManagedProcess("smpp", root / "logs" / "smpp.log", signal.SIGTERM)
    environment = {
        "JIESU_MAILBOXES": str(_write(root / "mailboxes.yaml", _mailboxes(mail_port))),
        "JIESU_MAIL_KEY": secrets.token_hex(32),
        "JIESU_MAIL_REPLY_ADDRESS": MAIL_ADDRESS,
        "JIESU_PROVIDERS": str(_write(root / "providers.yaml", _providers(sms_url, smpp_port if has_smpp else None))),
        "JIESU_ATTACHMENT_STORE": str(root / "attachments"),
        "JIESU_ATTACHMENT_KEY": secrets.token_hex(32),
    }
    smsc.log.parent.mkdir(parents=True, exist_ok=True)
    if has_smpp:
        smsc.start([sys.executable, "-P", "-m", "deploy.sinks.smpp", "--folder", str(root / "sinks"), "--port", str(smpp_port)])
    try:
        yield DemoChannels(mail_port, environment, smsc if has_smpp else None)
    finally:
        smsc.stop()


def _mailboxes(port: int) -> dict[str, object]:
    mailbox = {"id": "tousu", "source": MAIL_SOURCE, "addresses": [MAIL_ADDRESS]}
    return {"mailboxes": [mailbox], "port": {"host": "127.0.0.1", "port": port, "protocol": "smtp"}}


def _providers(sms_url: str, smpp_port: int | None) -> dict[str, object]:
    http = {"id": "gateway", "channel": "sms", "kind": "http_sms", "settings": {"url": sms_url, "token_env": "JIESU_SMS_TOKEN"}}
    smpp = {"id": "carrier", "channel": "sms", "kind": "smpp", "settings": {"host": "127.0.0.1", "port": smpp_port, "system_id": "jiesu"}}
    return {"providers": [http] if smpp_port is None else [http, smpp]}


def _write(path: Path, document: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    return path.resolve()
