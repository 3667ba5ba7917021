"""The port of intake with a real database: 250 after the commit, 451 while the database is away, the same mail once."""

import asyncio
import base64
import smtplib
from hashlib import sha256
from pathlib import Path

import orjson
import pytest
from pydantic import SecretStr

from services.intake.transports.mail.smtp_port import SmtpPort
from tests.integration.intake.transports.mail.conftest import MakeIntake, port_of
from tests.support.mail.building import mail, multipart
from tests.support.servers.otlp_receiver import OtlpReceiver
from tests.support.waiting import wait_for

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
MAILBOX = {"id": "tousu", "source": "mails", "addresses": ["tousu@jiesu.example"]}


async def send(port: SmtpPort, raw: bytes) -> None:
    def run() -> None:
        with smtplib.SMTP("127.0.0.1", port.port, timeout=40) as client:
            client.sendmail("wang@customer.example", ["tousu@jiesu.example"], raw)

    await wait_for(lambda: port.port)
    await asyncio.to_thread(run)


async def test_mail_is_a_case_once_it_is_accepted(make_intake: MakeIntake) -> None:
    intake = make_intake(mailboxes=[MAILBOX], port={"port": 0})
    async with intake.running("mail-port"):
        port = port_of(intake.service)
        for _ in range(2):
            await send(port, mail())
        assert await intake.outcomes() == [("submission", "no_reference"), ("duplicate", "taken_before")]
        for _ in range(2):
            with pytest.raises(smtplib.SMTPDataError) as refused:
                await send(port, mail("", subject=""))
            assert refused.value.smtp_code == 554, "also for a sender that missed the first answer"
        long_line = b"Subject: long\r\nFrom: li@customer.example\r\nMessage-ID: <long@x.example>\r\n\r\n" + b"water " * 20_000 + b"\r\n"
        await send(port, long_line)
        assert (await intake.outcomes())[-1] == ("submission", "no_reference")
    [row, _] = await intake.rows("SELECT number, channel, source FROM complaint ORDER BY number")
    assert (row["channel"], row["source"]) == ("email", "mails")


async def test_mail_begins_a_trace_that_its_case_goes_on_with(make_intake: MakeIntake) -> None:
    with OtlpReceiver() as receiver:
        settings = {"trace_endpoint": receiver.endpoint, "trace_ratio": 1.0}
        intake = make_intake(settings, mailboxes=[MAILBOX], port={"port": 0})
        intake.service.tracing.open()
        async with intake.running("mail-port"):
            await send(port_of(intake.service), mail())
        await intake.service.tracing.close(5)
    [span] = receiver.spans
    [row] = await intake.rows("SELECT headers FROM outbox WHERE topic = 'complaint-events'")
    assert dict(orjson.loads(row["headers"][0]))["traceparent"].startswith(f"00-{span.trace}-{span.id}-")
    [complaint] = await intake.rows("SELECT case_id FROM complaint")
    expected = {"jiesu.mailbox": "tousu", "jiesu.outcome": "submission", "jiesu.case": complaint["case_id"]}
    assert (span.name, span.attributes) == ("receive mail", expected)
    assert b"customer.example" not in b"".join(receiver.bodies)


async def test_sender_keeps_the_mail_while_the_database_is_away(make_intake: MakeIntake) -> None:
    intake = make_intake(mailboxes=[MAILBOX], port={"port": 0})
    away = make_intake({"database_url": "postgresql+asyncpg://jiesu@127.0.0.1:9/jiesu"}, mailboxes=[MAILBOX], port={"port": 0})
    async with intake.running("mail-port"), away.running("mail-port"):
        with pytest.raises(smtplib.SMTPDataError) as refused:
            await send(port_of(away.service), mail())
        assert refused.value.smtp_code == 451
        await send(port_of(intake.service), mail())
        assert await intake.outcomes() == [("submission", "no_reference")]


async def test_attachments_are_stored_and_the_mail_is_kept(make_intake: MakeIntake, tmp_path: Path) -> None:
    settings = {"attachment_store": str(tmp_path / "attachments"), "attachment_key": SecretStr("key of the attachments")}
    intake = make_intake(settings, mailboxes=[MAILBOX], port={"port": 0})
    parts = [
        ("text/plain; charset=utf-8", "见照片".encode()),
        ("image/png; name=lift.png\r\nContent-Transfer-Encoding: base64", base64.b64encode(PNG)),
        ("application/octet-stream; name=virus.exe\r\nContent-Transfer-Encoding: base64", base64.b64encode(b"MZ\x90\x00" * 20)),
    ]
    raw = multipart("mixed", *parts)
    async with intake.running("mail-port"):
        await send(port_of(intake.service), raw)
    [row] = await intake.rows("SELECT body FROM complaint")
    stored, refused = orjson.loads(row["body"])["complaint"]["attachments"]
    assert stored.startswith(f"sha256:{sha256(PNG).hexdigest()}/")
    assert stored.endswith("/lift.png")
    assert refused == "virus.exe"
    [mail_row] = await intake.rows("SELECT notes FROM mail_message")
    assert mail_row["notes"] == "attachment: type"
    [kept] = await intake.rows("SELECT source, channel FROM raw_copy")
    assert (kept["source"], kept["channel"]) == ("mails", "mail")
