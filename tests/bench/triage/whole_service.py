"""Measures the processor time of the whole triage service a complaint, beside an earlier state of the project that has rules alone.

Run with `python -m tests.bench.triage.whole_service --before DIR [--data DIR] [--complaints N] [--rounds N]`: the first DIR is a checkout
of an earlier commit, run by this environment's interpreter; the second holds messages.labelled.jsonl.gz, real messages that train the model
and are complained with. Without it self-written texts of the same length are used. Figures go to var/bench/triage_service.json.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg
import orjson
import yaml

from deploy.embedded import EmbeddedServers
from services.triage.application.models.model_file import write_model
from services.triage.training.history import HistoryRow, read_history
from services.triage.training.trainer import train
from shared.contracts.events import encode_event
from shared.contracts.topics import COMPLAINT_EVENTS
from shared.runtime.process.settings import RuntimeSettings
from tests.bench.measuring.results import ROOT, write_figures
from tests.support.messaging.cloud_events import cloud_event
from tests.support.messaging.sample_organisation import registered_event, sample_complaint
from tests.support.messaging.topic_client import open_topic_client
from tests.support.servers.databases import Databases, asyncpg_dsn
from tests.support.servers.topics import fresh_prefix
from tests.support.waiting import wait_for

COMPLAINTS = 1_000
ROUNDS = 5
WARM_UP = 200
PACK = "hunan-property"
SOURCE = "property-hotline"
MESSAGES = "messages.labelled.jsonl.gz"
OWN_TEXTS = (
    "我是3号楼2单元1201的业主，电梯从上周五开始停运，到现在已经五天了，家里有老人下不了楼。打物业电话一直没人接，去前台反映，工作人员说已经报修，但没有给出任何时间。",
    "物业费从本月起每平米涨了五毛钱，没有任何通知也没有开业主大会，小区里保洁却越来越差，楼道一个星期没人打扫，垃圾堆在门口发臭。希望贵公司说明收费依据。",
    "楼上装修每天早上七点就开始施工，噪音很大，孩子无法睡觉，已经向管家投诉过两次都没有结果，请尽快派人处理，并给我们一个答复。",
    "地下车库漏水半个多月了，车位上全是泥水，车被滴得斑斑点点，物业只放了一个桶接水。请问什么时候能修好，车的清洗费用由谁承担？",
)
_MIGRATE = (
    "import asyncio; from shared.contracts.topics import TOPICS; from shared.runtime.database.database import Database\n"
    "from shared.runtime.database.migrate import migrate; from shared.runtime.kafka.topic_admin import apply_topics\n"
    "from shared.runtime.process.settings import RuntimeSettings\n"
    "async def prepare():\n"
    "    settings = RuntimeSettings(); database = Database(settings, 'triage')\n"
    "    await migrate(database, 'services.triage.migrations'); await database.close()\n"
    "    await apply_topics(settings, list(TOPICS.values()))\n"
    "asyncio.run(prepare())"
)
_TICKS = os.sysconf("SC_CLK_TCK")
_DONE = "SELECT CASE WHEN EXISTS (SELECT FROM triage.outbox) THEN 0 ELSE (SELECT count(*) FROM triage.known) END"


@dataclass
class Side:
    """One triage service with a database and topics of its own."""

    name: str
    folder: Path
    environment: dict[str, str]
    process: asyncio.subprocess.Process | None = None
    sent: int = 0
    micros: list[float] = field(default_factory=list)

    async def start(self, errors: Path) -> None:
        """Prepare tables and topics, and start the service."""
        prepared = await self._run("-c", _MIGRATE, errors=errors)
        if await prepared.wait():
            raise RuntimeError(f"{self.name}: tables and topics cannot be prepared, see {errors}")
        self.process = await self._run("-m", "services.triage", errors=errors)

    async def _run(self, *arguments: str, errors: Path) -> asyncio.subprocess.Process:
        with errors.open("ab") as file:
            return await asyncio.create_subprocess_exec(
                sys.executable, *arguments, cwd=self.folder, env=self.environment, stdout=file, stderr=file
            )

    async def stop(self) -> None:
        """End the service."""
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
            await self.process.wait()

    def cpu_seconds(self) -> float:
        """Processor time of the service so far."""
        assert self.process is not None
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    async def work(self, texts: Sequence[tuple[str, str]]) -> float:
        """Send a complaint for each text and wait until all are decided and published; returns the processor time a complaint in µs."""
        version = pack_version(self.folder)
        records = [_record(number, title, text, version) for number, (title, text) in enumerate(texts, self.sent)]
        settings = RuntimeSettings(
            kafka_bootstrap_servers=self.environment["KAFKA_BOOTSTRAP_SERVERS"], topic_prefix=self.environment["JIESU_TOPIC_PREFIX"]
        )
        connection = await asyncpg.connect(asyncpg_dsn(self.environment["DATABASE_URL"]))
        began, self.sent = self.cpu_seconds(), self.sent + len(texts)
        async with open_topic_client(settings, acks="all", linger_ms=5) as client:
            await client.publish_all(records)

        async def is_done() -> bool:
            assert self.process is not None
            assert self.process.returncode is None, f"{self.name} has ended"
            return int(await connection.fetchval(_DONE)) == self.sent

        await wait_for(is_done, deadline=240, what=f"{self.name}: {self.sent} complaints decided", pause=0.1)
        await connection.close()
        return (self.cpu_seconds() - began) / len(texts) * 1e6


def pack_version(folder: Path) -> int:
    """The version of the pack in a checkout."""
    return int(yaml.safe_load((folder / "shared/procedures/packs" / PACK / "procedure.yaml").read_text(encoding="utf-8"))["version"])


def _record(number: int, title: str, text: str, version: int) -> Any:
    at = datetime(2026, 9, 24, 8, 0, tzinfo=UTC) + timedelta(seconds=number)
    phone = f"138{number:08}"
    complaint = sample_complaint(
        f"c-{number}", at, title=title, text=text, source=SOURCE, channel="hotline", complainant={"name": "王先生", "phone": phone}
    )
    event = registered_event(complaint, PACK, version).model_copy(update={"complainant_keys": [f"phone:{number:032}"]})
    return cloud_event(COMPLAINT_EVENTS, event.case, event.type, encode_event(event), "intake", at=event.at)


async def measure(sides: Sequence[Side], texts: Sequence[tuple[str, str]], complaints: int, rounds: int, errors: Path) -> dict[str, Any]:
    """Let the sides decide the same complaints in turns; a ratio compares two turns that follow one another."""
    try:
        for side in sides:
            await side.start(errors)
            await side.work([texts[number % len(texts)] for number in range(WARM_UP)])
        for each in range(rounds):
            part = [texts[(WARM_UP + each * complaints + number) % len(texts)] for number in range(complaints)]
            for side in sides:
                side.micros.append(await side.work(part))
                sys.stderr.write(f"{side.name}: {side.micros[-1]:.0f} µs a complaint\n")
    finally:
        for side in sides:
            await side.stop()
    first = sides[0].micros
    return {
        "complaints": complaints,
        "characters": median(len(title) + len(text) for title, text in texts),
        "micros": {side.name: side.micros for side in sides},
        "median_micros": {side.name: median(side.micros) for side in sides},
        "times": {side.name: median(own / of_first for own, of_first in zip(side.micros, first, strict=True)) for side in sides},
    }


def history(data: Path | None) -> list[HistoryRow]:
    """The real messages, or the self-written ones with the number of their text as label."""
    if data is not None:
        return read_history(data / MESSAGES)
    return [HistoryRow("", f"{text}{number}", {"subject": str(number % 4)}, str(number)) for number in range(400) for text in OWN_TEXTS]


def main() -> None:
    """Measure, print, and store the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, required=True)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--model", type=Path, help="a model of `jiesu triage train`; else one is trained on the messages first")
    parser.add_argument("--complaints", type=int, default=COMPLAINTS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    rows = history(arguments.data)
    folder = ROOT / "var" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as root, EmbeddedServers(Path(root) / "servers", progress=print) as servers:
        model = (arguments.model or Path(root) / "model.npz").resolve()
        if arguments.model is None:
            write_model(model, train(rows).model, {})
        databases = Databases(servers.database_url)

        def side(name: str, code: Path, **settings: str) -> Side:
            environment = {
                "PATH": os.environ.get("PATH", ""),
                "DATABASE_URL": asyncio.run(databases.create()),
                "KAFKA_BOOTSTRAP_SERVERS": servers.bootstrap_servers,
                "JIESU_TOPIC_PREFIX": fresh_prefix(),
                "JIESU_ENVIRONMENT": "test",
                "JIESU_LOG_LEVEL": "ERROR",
                "JIESU_ORGANISATION": str(code / "deploy/demo/organisation.yaml"),
                "OMP_NUM_THREADS": "1",
            }
            return Side(name, code, environment | settings)

        sides = [side("rules before", arguments.before.resolve()), side("all", ROOT, JIESU_CLASSIFIER=str(model))]
        figures = asyncio.run(
            measure(sides, [(row.title, row.text) for row in rows], arguments.complaints, arguments.rounds, folder / "triage_service.log")
        )
    write_figures("triage_service", figures)
    sys.stdout.write(orjson.dumps(figures, option=orjson.OPT_INDENT_2).decode() + "\n")


if __name__ == "__main__":
    main()
