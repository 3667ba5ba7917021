"""What a mail costs notify and PostgreSQL, by step and by how many mails share a transaction.

Run with `python -m tests.bench.notify.message_layers`; the figures go to var/bench/message-layers.json. The mail server
is the sink, in a process of its own whose CPU is not counted.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import orjson
from pydantic import SecretStr

from deploy.embedded import EmbeddedServers
from services.notify.config import NotifySettings
from services.notify.providers.mail.composing import MailSender, compose
from services.notify.providers.mail.layout_file import load_mail_layout
from services.notify.providers.provider import OutgoingMessage
from services.notify.storage.deliveries import DeliveryRow
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database
from tests.bench.measuring.outcome import Bench, Options, Outcome
from tests.bench.measuring.processes import cpu_seconds, process_family
from tests.bench.measuring.results import write_figures
from tests.bench.measuring.tables import table
from tests.bench.notify.outgoing_mails import mail_sink
from tests.integration.notify.notify_process import ORGANISATION, NotifyProcess, notification_request
from tests.support.messaging.sample_organisation import ENCRYPTION_KEYS
from tests.support.servers.databases import Databases

MAILS = 1000
BATCHES = (1, 10, 50)
_REQUESTS_A_BATCH = 50
_SESSIONS = 10
_VALUES = {"number": "TS-2026-00001", "matter": "3号楼电梯停运，老人上下楼不便", "due_at": "2026-09-26T18:00:00+08:00"}
ItemT = TypeVar("ItemT")


class StepCosts:
    """CPU micros a mail of each step, of notify and of PostgreSQL."""

    def __init__(self, postgres: int, mails: int) -> None:
        self.micros: dict[str, dict[str, float]] = {}
        self._postgres = postgres
        self._mails = mails

    async def measure(self, step: str, work: Awaitable[Any]) -> Any:
        """Await the work of all mails, and keep what it cost."""
        before = self._used()
        result = await work
        used = {name: value - before[name] for name, value in self._used().items()}
        self.micros[step] = {name: round(seconds / self._mails * 1e6, 1) for name, seconds in used.items()}
        return result

    def subtract(self, step: str, part: str) -> None:
        """Leave out of a step what another one has measured of it."""
        self.micros[step] = {name: max(0.0, value - self.micros[part][name]) for name, value in self.micros[step].items()}

    def _used(self) -> dict[str, float]:
        return {"notify": cpu_seconds(os.getpid()), "postgres": sum(cpu_seconds(pid) for pid in process_family(self._postgres))}


async def measure(mails: int) -> dict[str, Any]:
    """Plan, claim, send and settle `mails` mails for each size of a batch."""
    with TemporaryDirectory() as name, EmbeddedServers(Path(name) / "servers", kafka=False) as servers:
        assert servers.postgres is not None
        async with mail_sink(Path(name)) as port:
            settings = _settings(Path(name), await Databases(servers.database_url).create_migrated(), port)
            database = Database(settings, "notify")
            process = NotifyProcess(settings, database)
            await _run(process, StepCosts(servers.postgres.process.pid, mails), mails, 10)  # opens sessions, prepares statements
            by_batch = {}
            for batch in BATCHES:
                costs = StepCosts(servers.postgres.process.pid, mails)
                await _run(process, costs, mails, batch)
                by_batch[str(batch)] = costs.micros
            await process.close()
            await database.close()
    return {"mails": mails, "micros_a_mail": by_batch}


def _settings(folder: Path, database_url: str, port: int) -> NotifySettings:
    organisation = folder / "organisation.yaml"
    organisation.write_text(ORGANISATION, encoding="utf-8")
    return NotifySettings(
        environment="test",
        database_url=SecretStr(database_url),
        sealing_keys=ENCRYPTION_KEYS,
        organisation=organisation,
        smtp_host="127.0.0.1",
        smtp_port=port,
        smtp_security="none",
        digest_window=0,
    )


async def _run(process: NotifyProcess, costs: StepCosts, mails: int, batch: int) -> None:
    requests = [notification_request(f"case-{batch}-{id(costs)}-{number}", values=_VALUES) for number in range(mails)]
    await costs.measure("plan and store", _each(_batches(requests, _REQUESTS_A_BATCH), lambda part: process.record_requests(*part)))
    rows: list[DeliveryRow] = []

    async def claim(part: Sequence[Any]) -> None:
        rows.extend(await process.claim(lease=3600, limit=len(part)))

    await costs.measure("claim", _each(_batches(requests, batch), claim))
    await costs.measure("compose", _compose_all(rows))
    attempts = await costs.measure("send", _send_all(process, rows))
    costs.subtract("send", "compose")  # sending composes again
    await costs.measure("settle and add the event", _each(_batches(attempts, batch), process.settle))


async def _each(parts: Iterator[Sequence[ItemT]], work: Callable[[Sequence[ItemT]], Awaitable[object]]) -> None:
    for part in parts:
        await work(part)


def _batches(items: Sequence[ItemT], size: int) -> Iterator[Sequence[ItemT]]:
    return (items[first : first + size] for first in range(0, len(items), size))


async def _compose_all(rows: Sequence[DeliveryRow]) -> None:
    layout, sender, now = load_mail_layout(None), MailSender.parse("Jiesu <jiesu@example.org>"), Clock().real_now()
    for row in rows:
        compose(OutgoingMessage(str(row.id), "li@example.com", row.subject, row.text, row.case_id, "zh"), sender, now, layout)


async def _send_all(process: NotifyProcess, rows: Sequence[DeliveryRow]) -> list[tuple[DeliveryRow, Any]]:
    parts = await asyncio.gather(*(process.send(rows[first::_SESSIONS]) for first in range(_SESSIONS)))
    return [attempt for part in parts for attempt in part]


def measure_outcome(options: Options) -> Outcome:
    """The steps of a mail."""
    return Outcome(asyncio.run(measure(options.complaints or MAILS)))


def section(figures: Mapping[str, Any]) -> Iterator[str]:
    """CPU by step and by how many mails share a transaction."""
    micros = figures["micros_a_mail"]
    yield f"Where the CPU of each of {figures['mails']:,} mails goes, in notify + PostgreSQL µs, by how many mails share a transaction;"
    yield "what a message costs all processes is in [decision 77](../adr/0077-outcomes-in-batches.md).\n"
    rows = [
        (step, *(f"{by_step[step]['notify']:,.0f} + {by_step[step]['postgres']:,.0f}" for by_step in micros.values()))
        for step in next(iter(micros.values()))
    ]
    yield from table(("step", *(f"{batch} at a time" for batch in micros)), rows)
    of_ten = {step: sum(cost.values()) for step, cost in micros["10"].items()}
    total = sum(of_ten.values())
    shares = ", ".join(f"{step} {micros / total:.0%}" for step, micros in sorted(of_ten.items(), key=lambda item: -item[1]))
    yield f"Of the {total:,.0f} µs with ten at a time: {shares}.\n"


BENCH = Bench("A message to a person", measure_outcome, section)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.notify.message_layers")
    parser.add_argument("--mails", type=int, default=MAILS, help="mails for each size of a batch")
    figures = asyncio.run(measure(parser.parse_args().mails))
    write_figures("message-layers", figures)
    sys.stdout.write(orjson.dumps(figures, option=orjson.OPT_INDENT_2).decode() + "\n")


if __name__ == "__main__":
    main()
