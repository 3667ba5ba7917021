"""Mails are kept sealed and taken again from their copies; their attachments are stored."""

from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import orjson
from pydantic import SecretStr

from services.intake.application.mail.mailbox import IncomingMail
from services.intake.bootstrap import make_parts
from services.intake.channels.mail.decision import Envelope
from services.intake.transports.replay import make_tools
from services.intake.transports.replay import replay as replay_copies
from shared.procedures.checks.organisation.organisation_check import load_checked_organisation
from tests.integration.intake.transports.mail.conftest import MakeIntake, port_of
from tests.integration.intake.transports.mail.test_smtp import MAILBOX, send
from tests.support.mail.building import mail

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89" + bytes(40)


def with_photograph() -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "wang@customer.example", "tousu@jiesu.example", "漏水"
    message["Message-ID"] = "<photo@customer.example>"
    message.set_content("三楼漏水，见照片")
    message.add_attachment(PNG, maintype="image", subtype="png", filename="漏水.png")
    return message.as_bytes()


async def test_a_mail_that_became_nothing_is_taken_again_from_its_copy_and_others_stay(make_intake: MakeIntake) -> None:
    intake = make_intake(mailboxes=[MAILBOX], port={"port": 0})
    settings: Any = intake.service.settings
    async with intake.running("mail-port"):
        await send(port_of(intake.service), mail())
    assert await intake.outcomes() == [("submission", "no_reference")]
    database, key_ring, clock = intake.service.database, intake.service.key_ring, intake.service.clock
    parts = make_parts(settings, load_checked_organisation(settings.organisation), key_ring, clock, database)
    assert [dict(copy.counts) async for copy in replay_copies(make_tools(database, parts, dry_run=False), BEGINNING)] == [{"duplicate": 1}]
    await intake.rows("UPDATE mail_message SET outcome = 'set_aside', reason = 'fault: KeyError' RETURNING id")
    await intake.rows("DELETE FROM complaint RETURNING case_id")
    assert [dict(copy.counts) async for copy in replay_copies(make_tools(database, parts, dry_run=True), BEGINNING)] == [{"submission": 1}]
    assert await intake.rows("SELECT 1 FROM complaint") == []
    assert [dict(copy.counts) async for copy in replay_copies(make_tools(database, parts, dry_run=False), BEGINNING)] == [{"submission": 1}]
    assert await intake.outcomes() == [("submission", "no_reference")]
    assert len(await intake.rows("SELECT 1 FROM complaint")) == 1
    assert len(await intake.rows("SELECT 1 FROM raw_copy")) == 1, "a replay keeps no copy of the copy"


async def test_attachments_of_a_mail_are_stored_and_a_refused_one_keeps_its_name(make_intake: MakeIntake, tmp_path: Path) -> None:
    store = {"attachment_store": str(tmp_path / "attachments"), "attachment_key": SecretStr("k" * 32)}
    intake = make_intake(store, mailboxes=[MAILBOX], port={"port": 0})
    async with intake.running("mail-port"):
        await send(port_of(intake.service), with_photograph())
    [row] = await intake.rows("SELECT body FROM complaint")
    [reference] = orjson.loads(row["body"])["complaint"]["attachments"]
    assert reference.startswith("sha256:")
    assert reference.endswith("/漏水.png")
    [stored] = await intake.rows("SELECT media_type, size FROM attachment")
    assert (stored["media_type"], stored["size"]) == ("image/png", len(PNG))


async def test_mail_that_was_taken_before_stores_no_attachment(make_intake: MakeIntake, tmp_path: Path) -> None:
    store = {"attachment_store": str(tmp_path / "attachments"), "attachment_key": SecretStr("k" * 32)}
    intake = make_intake(store, mailboxes=[MAILBOX, MAILBOX | {"id": "other", "addresses": ["other@jiesu.example"]}], port={"port": 0})
    raw = with_photograph()
    async with intake.running("mail-port"):
        port = port_of(intake.service)
        await send(port, raw)
        await intake.rows("DELETE FROM attachment RETURNING sha256")
        await send(port, raw)
        [repeated] = await intake.rows("SELECT count(*) AS mails FROM mail_message WHERE outcome = 'duplicate'")
        assert repeated["mails"] == 1
        assert await intake.rows("SELECT 1 FROM attachment") == []
    mailboxes = port_of(intake.service)._handler._mailboxes
    batch = [IncomingMail(raw, mailbox, Envelope(datetime.now(UTC))) for mailbox in mailboxes.values()]
    results = await port_of(intake.service)._handler._intake.take(batch)
    assert [result.outcome for result in results] == ["duplicate"] * 2
    assert await intake.rows("SELECT 1 FROM attachment") == []
    fresh = [replace(item, raw=item.raw.replace(b"photo@", b"second@")) for item in batch]
    results = await port_of(intake.service)._handler._intake.take(fresh)
    assert [result.outcome for result in results] == ["submission", "duplicate"]
    assert len(await intake.rows("SELECT 1 FROM attachment")) == 1
