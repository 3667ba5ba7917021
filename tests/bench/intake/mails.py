"""Mails a second with CPU and memory, ordinary and hostile: `python -m tests.bench.intake.mails [--ordinary 3000] [--hostile 10000]`.

Mails are handed over in batches of twenty, as from an IMAP mailbox, and count when they are durable; ordinary ones by the port too.
"""

import argparse
import asyncio
import os
import resource
import smtplib
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from pydantic import SecretStr

from services.intake.application.mail.mailbox import IncomingMail
from services.intake.bootstrap import build
from services.intake.channels.mail.decision import Envelope
from services.intake.config import IntakeSettings
from services.intake.transports.mail.smtp_port import SmtpPort
from shared.runtime.clock import Clock
from shared.runtime.service import Service
from tests.support.mail.building import ADDRESS, MAIL_SECRET, mail, multipart
from tests.support.mail.hostile import hostile_mails
from tests.support.messaging.sample_organisation import ENCRYPTION_KEYS, SOURCES, write_organisation, write_yaml
from tests.support.servers.databases import Databases
from tests.support.servers.session_servers import start_on_free_root

_BATCH = 20
_SENDERS = 4
_TEXT = "您好，3号楼2单元的电梯从昨天晚上开始停运，老人上下楼很不方便，请尽快派人维修并告知进度。" * 4


def ordinary_mails(count: int) -> Iterator[bytes]:
    """Mails of a few hundred characters, every fifth with a photograph of 200 kB."""
    photo = os.urandom(150_000).hex().encode()[:200_000]
    for number in range(count):
        if number % 5:
            yield mail(f"{_TEXT}{number}", message_id=f"<{number}@bench.example>")
        else:
            parts = [("text/plain; charset=gbk", f"{_TEXT}{number}".encode("gbk")), ("image/jpeg; name=a.jpg", photo)]
            yield multipart("mixed", *parts).replace(b"<m-2@customer.example>", b"<%d@bench.example>" % number)


async def main(ordinary: int, hostile: int) -> None:
    """Measure and print one line for each run."""
    servers = start_on_free_root()
    try:
        databases = Databases(servers.database_url)
        with tempfile.TemporaryDirectory() as folder:
            service = _service(Path(folder), servers.bootstrap_servers, await databases.create_migrated())
            port = _port(service)
            stop = asyncio.Event()
            task = asyncio.create_task(port.run(stop))
            await port.listening.wait()
            await _measure("ordinary, in batches of 20", service, port, ordinary_mails(ordinary))
            await _measure_port(port, ordinary)
            await _measure("hostile, in batches of 20", service, port, hostile_mails(hostile))
            stop.set()
            await task
            await service.database.close()
        await databases.drop_left_over()
    finally:
        servers.stop()


def _service(folder: Path, bootstrap_servers: str, database_url: str) -> Service:
    source = {"id": "mails", "procedure": "procedure.yaml", "channels": ["email"]}
    mailboxes = {"mailboxes": [{"id": "tousu", "source": "mails", "addresses": [ADDRESS]}], "port": {"port": 0}}
    settings = IntakeSettings(
        environment="test",
        kafka_bootstrap_servers=bootstrap_servers,
        database_url=SecretStr(database_url),
        organisation=write_organisation(folder, sources=[*SOURCES, source]),
        mailboxes=write_yaml(folder / "mailboxes.yaml", mailboxes),
        mail_key=SecretStr(MAIL_SECRET),
        sealing_keys=ENCRYPTION_KEYS,
    )
    return build(settings)


def _port(service: Service) -> SmtpPort:
    port: SmtpPort = service._loops["mail-port"].__self__  # type: ignore[attr-defined]
    return port


async def _measure(name: str, service: Service, port: SmtpPort, raws: Iterable[bytes]) -> None:
    """Hand the mails over in batches, and print figures; memory is that of this process."""
    intake, mailbox = port._handler._intake, port._handler._mailboxes[ADDRESS]
    remaining = iter(raws)
    count, worst, first_peak = 0, 0.0, 0.0
    outcomes = Counter[str]()
    started, cpu = time.monotonic(), time.process_time()
    while batch := list(islice(remaining, _BATCH)):
        begun = time.monotonic()
        results = await intake.take([IncomingMail(raw, mailbox, Envelope(Clock().real_now())) for raw in batch])
        worst = max(worst, time.monotonic() - begun)
        count += len(batch)
        outcomes.update(result.outcome for result in results)
        first_peak = first_peak or (_peak_megabytes() if count >= 1000 else 0.0)
    seconds, used = time.monotonic() - started, time.process_time() - cpu
    _print(
        f"{name}: {count} mails, {count / seconds:.0f} a second, CPU {1000 * used / count:.2f} ms a mail, longest batch {worst:.2f} s, "
        f"peak {first_peak:.0f} MB after 1,000 and {_peak_megabytes():.0f} MB at the end; {dict(outcomes)}"
    )
    async with service.database.transaction() as tx:
        recorded = await tx.fetchval("SELECT count(*) FROM mail_message WHERE reason <> ''")
        faults = await tx.fetchval("SELECT count(*) FROM mail_message WHERE reason LIKE 'fault%'")
    _print(f"  recorded with a reason: {recorded} in all, faults of ours: {faults}")


async def _measure_port(port: SmtpPort, count: int) -> None:
    raws = [
        raw.replace(b"@bench.example>", b"@port.example>").replace(b"@customer.example>", b"@port.example>")
        for raw in ordinary_mails(count)
    ]

    def send(share: list[bytes]) -> None:
        with smtplib.SMTP("127.0.0.1", port.port, timeout=60) as client:
            for raw in share:
                client.sendmail("wang@customer.example", [ADDRESS], raw)

    started = time.monotonic()
    await asyncio.gather(*(asyncio.to_thread(send, raws[number::_SENDERS]) for number in range(_SENDERS)))
    seconds = time.monotonic() - started
    _print(f"ordinary, by SMTP from {_SENDERS} senders in the same process: {count} mails, {count / seconds:.0f} a second")


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ordinary", type=int, default=3000)
    parser.add_argument("--hostile", type=int, default=10_000)
    arguments = parser.parse_args()
    sys.exit(asyncio.run(main(arguments.ordinary, arguments.hostile)))
