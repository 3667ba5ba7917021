"""The port for SMTP and LMTP: recipients, sizes, replies only after the mail is durable, an orderly end."""

import asyncio
import smtplib
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from services.intake.application.mail.mailbox import IncomingMail, Mailbox, MailResult
from services.intake.transports.mail.config import SmtpPortSettings
from services.intake.transports.mail.smtp_port import MailHandler, SmtpPort
from shared.contracts.mail import references as mail_references
from shared.runtime.clock import Clock
from shared.runtime.errors import Unavailable
from tests.integration.notify.providers.test_smtp import self_signed_certificate
from tests.support.mail.building import ADDRESS, CASE, KEY, RULES, mail
from tests.support.waiting import wait_for

MAX_BYTES = 50_000
OTHER = "other@jiesu.example"


class Taker:
    """Stands for intake: keeps what it gets, and answers or fails as told."""

    def __init__(self) -> None:
        self.taken: list[IncomingMail] = []
        self.error: Exception | None = None
        self.outcome = "submission"
        self.gate = asyncio.Event()
        self.gate.set()
        self.entered = asyncio.Event()

    async def take(self, batch: Sequence[IncomingMail]) -> list[MailResult]:
        self.entered.set()
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        self.taken += batch
        return [MailResult(self.outcome, "empty")] * len(batch)


@asynccontextmanager
async def serving(taker: Taker, **settings: Any) -> AsyncIterator[tuple[SmtpPort, asyncio.Event]]:
    mailboxes = {ADDRESS: Mailbox("tousu", None, RULES), OTHER: Mailbox("other", None, RULES)}  # type: ignore[arg-type]
    options = SmtpPortSettings(port=0, **settings)
    handler = MailHandler(mailboxes, KEY, taker, Clock())  # type: ignore[arg-type]
    port, stop = SmtpPort(options, handler, MAX_BYTES), asyncio.Event()
    task = asyncio.create_task(port.run(stop))
    await asyncio.wait_for(port.listening.wait(), 5)
    try:
        yield port, stop
    finally:
        taker.gate.set()
        stop.set()
        await asyncio.wait_for(task, 10)


async def in_session(port: SmtpPort, work: Callable[[smtplib.SMTP], Any], kind: type[smtplib.SMTP] = smtplib.SMTP) -> Any:
    """The result of blocking work with a client."""

    def run() -> Any:
        client = kind("127.0.0.1", port.port, local_hostname="client.example", timeout=10)
        try:
            return work(client)
        finally:
            client.close()

    return await asyncio.to_thread(run)


async def test_mail_is_taken_for_each_of_our_recipients_once() -> None:
    taker = Taker()
    reply = mail_references.reply_address(KEY, "case@jiesu.example", CASE) or ""
    async with serving(taker) as (port, _):
        refused = await in_session(
            port,
            lambda client: client.sendmail(
                "a@x.cn", [ADDRESS.upper(), OTHER, reply, "stranger@x.cn", f"case+{'a' * 42}@jiesu.example"], mail()
            ),
        )
    assert set(refused) == {"stranger@x.cn", f"case+{'a' * 42}@jiesu.example"}
    assert {reply[0] for reply in refused.values()} == {550}
    assert [incoming.mailbox.id for incoming in taker.taken] == ["tousu", "other"]
    assert taker.taken[0].raw == mail()
    assert taker.taken[0].envelope.sender == "a@x.cn"
    assert reply in taker.taken[0].envelope.recipients


async def test_no_250_before_the_commit() -> None:
    taker = Taker()
    taker.gate.clear()
    async with serving(taker) as (port, _):
        sending = asyncio.create_task(in_session(port, lambda client: client.sendmail("a@x.cn", [ADDRESS], mail())))
        await asyncio.wait_for(taker.entered.wait(), 5)
        done, _running = await asyncio.wait([sending], timeout=0.2)
        assert not done
        taker.gate.set()
        assert await sending == {}


@pytest.mark.parametrize(
    ("error", "outcome", "code"),
    [
        (Unavailable("the database is away"), "submission", 451),
        (ConnectionRefusedError(), "submission", 451),
        (ValueError("a fault of ours"), "submission", 451),
        (None, "set_aside", 554),
        (None, "refused", 554),
    ],
)
async def test_sender_keeps_what_is_not_taken(error: Exception | None, outcome: str, code: int) -> None:
    taker = Taker()
    taker.error, taker.outcome = error, outcome
    async with serving(taker) as (port, _):
        with pytest.raises(smtplib.SMTPDataError) as raised:
            await in_session(port, lambda client: client.sendmail("a@x.cn", [ADDRESS], mail()))
    assert raised.value.smtp_code == code


async def test_size_is_announced_and_checked_before_and_while_reading() -> None:
    taker = Taker()
    async with serving(taker) as (port, _):
        with pytest.raises(smtplib.SMTPSenderRefused) as announced:
            await in_session(port, lambda client: client.sendmail("a@x.cn", [ADDRESS], b"x\r\n" * MAX_BYTES))
        assert announced.value.smtp_code == 552

        def send_unannounced(lines: bytes) -> Any:
            def work(client: smtplib.SMTP) -> Any:
                client.ehlo()
                client.mail("a@x.cn")
                client.rcpt(ADDRESS)
                return client.data(lines)

            return work

        for length in (MAX_BYTES // 3 + 100, 300_000):
            code, _text = await in_session(port, send_unannounced(b"x\r\n" * length))
            assert code == 552, "also far beyond the limit, to a client that reads it after it has sent everything"
        for endless in (b"x" * 2_000_000, b"x\r\n" * 1_000_000):
            try:
                code, _text = await in_session(port, send_unannounced(endless))
            except (smtplib.SMTPException, OSError):
                code = 552  # the connection was closed while the client was still sending
            assert code == 552
    assert taker.taken == []


async def begin_mail(port: SmtpPort) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which a mail may be sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port.port)
    await reader.readline()
    for command in ("EHLO client.example", "MAIL FROM:<a@x.cn>", f"RCPT TO:<{ADDRESS}>", "DATA"):
        writer.write(f"{command}\r\n".encode())
        while (reply := await asyncio.wait_for(reader.readline(), 5))[3:4] == b"-":
            pass
    assert reply.startswith(b"354")
    return reader, writer


def _is_reset(session: Any, timer: object) -> bool:
    return session._timeout_handle is not timer


async def test_slow_mail_is_not_cut_while_its_data_arrive() -> None:
    taker = Taker()
    async with serving(taker) as (port, _):
        reader, writer = await begin_mail(port)
        [session] = port._sessions
        for line in mail().splitlines(keepends=True):
            timer = session._timeout_handle
            writer.write(line)
            await wait_for(partial(_is_reset, session, timer))
        writer.write(b"\r\n.\r\n")
        assert (await asyncio.wait_for(reader.readline(), 5)).startswith(b"250")
        writer.close()
    assert len(taker.taken) == 1


async def test_mail_that_takes_too_long_is_refused_for_now() -> None:
    taker = Taker()
    async with serving(taker, mail_seconds=0.2) as (port, _):
        reader, writer = await begin_mail(port)
        writer.write(b"Subject: slow\r\n")
        assert (await asyncio.wait_for(reader.read(), 5)).startswith(b"421 4.4.2")
        writer.close()
    assert taker.taken == []


@pytest.mark.parametrize(
    ("error", "length", "code"), [(ValueError("a fault of ours"), 10, 451), (None, MAX_BYTES, 552), (None, 300_000, 552)]
)
async def test_lmtp_answers_for_each_recipient_after_a_fault_too(error: Exception | None, length: int, code: int) -> None:
    taker = Taker()
    taker.error = error

    def work(client: smtplib.SMTP) -> list[int]:
        client.ehlo()
        client.mail("a@x.cn")
        for recipient in (ADDRESS, OTHER):
            client.rcpt(recipient)
        first, _ = client.data(b"x\r\n" * length)
        return [first, client.getreply()[0]]

    async with serving(taker, protocol="lmtp") as (port, _):
        assert await in_session(port, work, smtplib.LMTP) == [code, code]


async def test_lmtp_answers_for_each_recipient() -> None:
    taker = Taker()

    def work(client: smtplib.SMTP) -> list[int]:
        client.ehlo()
        client.mail("a@x.cn")
        client.rcpt(ADDRESS)
        client.rcpt(OTHER)
        code, _ = client.data(mail())
        return [code, client.getreply()[0]]

    async with serving(taker, protocol="lmtp") as (port, _):
        assert await in_session(port, work, smtplib.LMTP) == [250, 250]
    assert len(taker.taken) == 2


async def test_connections_are_limited() -> None:
    async with serving(Taker(), connections=1) as (port, _):

        def second(_: smtplib.SMTP) -> int:
            with pytest.raises(smtplib.SMTPConnectError) as raised:
                smtplib.SMTP("127.0.0.1", port.port, timeout=10)
            return raised.value.smtp_code

        assert await in_session(port, second) == 421


async def test_stop_lets_a_mail_finish_and_ends_idle_sessions() -> None:
    taker = Taker()
    taker.gate.clear()
    async with serving(taker) as (port, stop):
        sending = asyncio.create_task(in_session(port, lambda client: client.sendmail("a@x.cn", [ADDRESS], mail())))
        await asyncio.wait_for(taker.entered.wait(), 5)

        def idle(client: smtplib.SMTP) -> int:
            client.ehlo()
            asyncio.run_coroutine_threadsafe(_set(stop), loop).result(5)
            return client.getreply()[0]

        loop = asyncio.get_running_loop()
        assert await in_session(port, idle) == 421
        taker.gate.set()
        assert await sending == {}
    assert len(taker.taken) == 1


async def _set(event: asyncio.Event) -> None:
    event.set()


async def test_starttls_can_be_required(tmp_path: Path) -> None:
    pem = self_signed_certificate(tmp_path, "localhost")
    taker = Taker()

    def work(client: smtplib.SMTP) -> Any:
        client.ehlo()
        refused = client.mail("a@x.cn")[0]
        client.starttls(context=ssl.create_default_context(cafile=str(pem)))
        return refused, client.sendmail("a@x.cn", [ADDRESS], mail())

    async with serving(taker, certificate_file=pem, key_file=pem, require_tls=True) as (port, _):
        assert await in_session(port, work, LocalhostClient) == (530, {})
    assert len(taker.taken) == 1


class LocalhostClient(smtplib.SMTP):
    """Checks the certificate against the name localhost, whatever the address."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._host = "localhost"
