"""Intake with mailboxes, and a real mail server for the session."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from services.intake.bootstrap import build
from services.intake.config import IntakeSettings
from services.intake.transports.mail.smtp_port import SmtpPort
from shared.runtime.service import Service
from tests.support.mail.building import MAIL_SECRET
from tests.support.messaging.sample_organisation import ENCRYPTION_KEYS, SOURCES, write_organisation, write_yaml
from tests.support.messaging.settings import SettingsFactory
from tests.support.servers.dovecot import Dovecot
from tests.support.servers.greenmail import PASSWORD, GreenMail, running_greenmail
from tests.support.waiting import wait_for

USERS = [f"user{number}" for number in range(12)]
ACTION_KEY = SecretStr("mail:" + "B" * 43 + "=")
SOURCE = {"id": "mails", "procedure": "procedure.yaml", "channels": ["email"]}


@pytest.fixture(scope="session")
def greenmail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GreenMail]:
    with running_greenmail(tmp_path_factory.mktemp("greenmail"), USERS) as server:
        yield server


@pytest.fixture
def topic_prefix() -> str:
    """No test of this folder needs the broker: what is published stays in the outbox, and is read there."""
    return "mail-"


@pytest.fixture
def user(_users: Iterator[str]) -> str:
    """A mailbox that no other test uses."""
    return next(_users)


@pytest.fixture(scope="session")
def _users() -> Iterator[str]:
    return iter(USERS)


@dataclass
class MailIntakeOfTest:
    """An intake that is built but has no Kafka: its mail loops run on their own."""

    service: Service

    async def rows(self, query: str, *arguments: Any) -> list[Any]:
        async with self.service.database.transaction() as tx:
            return await tx.fetch(query, *arguments)

    async def outcomes(self) -> list[tuple[str, str]]:
        """Outcome and reason of every mail, in the order of the mailbox."""
        rows = await self.rows("SELECT outcome, reason FROM mail_message ORDER BY uid_validity, uid, id")
        return [(row["outcome"], row["reason"]) for row in rows]

    async def until_recorded(self, count: int) -> list[tuple[str, str]]:
        """Wait until so many mails are recorded; returns their outcomes."""

        async def recorded() -> list[tuple[str, str]]:
            outcomes = await self.outcomes()
            return outcomes if len(outcomes) >= count else []

        return await wait_for(recorded, 40, f"{count} mails are recorded")

    @asynccontextmanager
    async def running(self, *names: str) -> AsyncIterator[None]:
        """Run loops of the service, without its consumer."""
        stop = asyncio.Event()
        tasks = [asyncio.ensure_future(self.service._loops[name](stop)) for name in names]
        try:
            yield
        finally:
            stop.set()
            done, running = await asyncio.wait(tasks, timeout=20)
            for task in running:
                task.cancel()
            assert not running, "a loop did not stop"
            for task in done:
                task.result()


MakeIntake = Callable[..., MailIntakeOfTest]


@pytest.fixture
async def make_intake(make_settings: SettingsFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MakeIntake]:
    """`make_intake(mailboxes=[…], port={…})`: an intake with this file of mailboxes."""
    monkeypatch.setenv("MAIL_PASSWORD", PASSWORD)
    made: list[Service] = []

    def make(settings: dict[str, Any] | None = None, **file: Any) -> MailIntakeOfTest:
        organisation = write_organisation(tmp_path, sources=[*SOURCES, SOURCE])
        mailboxes = write_yaml(tmp_path / "mailboxes.yaml", file)
        common: dict[str, Any] = {"sealing_keys": ENCRYPTION_KEYS, "mail_key": SecretStr(MAIL_SECRET), "action_key": ACTION_KEY}
        service = build(make_settings(IntakeSettings, organisation=organisation, mailboxes=mailboxes, **common | (settings or {})))
        made.append(service)
        return MailIntakeOfTest(service)

    yield make
    for service in made:
        await service.processing_database.close()
        await service.database.close()


def imap_mailbox(server: GreenMail | Dovecot, user: str, **changes: Any) -> dict[str, Any]:
    """An entry of the file of mailboxes for a user of a server of the tests."""
    imap = {"host": "127.0.0.1", "port": server.imap_port, "security": "none", "username": user, "password_env": "MAIL_PASSWORD"}
    mailbox = {"id": user, "source": "mails", "addresses": [f"{user}@jiesu.example"], "received_by": ["mail.jiesu.example"]}
    imap |= changes.pop("imap", {})
    return mailbox | {"imap": imap} | changes


def port_of(service: Service) -> SmtpPort:
    """The port that a service would open."""
    port: SmtpPort = service._loops["mail-port"].__self__  # type: ignore[attr-defined]
    return port
