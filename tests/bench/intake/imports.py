"""Imports 100,000 rows of CSV and of Excel into a real PostgreSQL, and prints rows a second, CPU and memory.

Run with `python -m tests.bench.intake.imports [--rows N] [--once]`; figures go to var/bench/imports.json.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import xlsxwriter

from services.intake.bootstrap import make_parts
from services.intake.config import IntakeSettings
from services.intake.storage import imports
from services.intake.transports.imports.importing import Imports
from services.intake.transports.imports.report import write_report
from services.intake.transports.imports.setup import make_imports
from shared.procedures.checks.organisation.organisation_check import load_checked_organisation
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database
from shared.runtime.encryption import EncryptionKeyRing
from tests.bench.measuring.results import write_figures
from tests.support.messaging.import_samples import COLUMN_MAP, TITLES
from tests.support.messaging.sample_organisation import ENCRYPTION_KEYS, write_yaml
from tests.support.servers.databases import Databases
from tests.support.servers.session_servers import start_on_free_root

ROWS = 100_000


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--once", action="store_true", help="leave out the second import of the same file")
    options = parser.parse_args()
    servers = start_on_free_root()
    try:
        figures = asyncio.run(_measure(servers.database_url, options.rows, once=options.once))
    finally:
        servers.stop()
    write_figures("imports", figures)
    sys.stdout.write(orjson.dumps(figures, option=orjson.OPT_INDENT_2).decode() + "\n")


async def _measure(database_url: str, rows: int, *, once: bool) -> dict[str, Any]:
    databases = Databases(database_url)
    figures: dict[str, Any] = {"rows": rows}
    writers: dict[str, Callable[[Path, int], int]] = {"csv": _write_csv, "xlsx": _write_excel}
    with tempfile.TemporaryDirectory() as folder:
        organisation = write_yaml(
            Path(folder, "organisation.yaml"),
            {"id": "bench", "sources": [{"id": "web", "procedure": "hunan-property", "imports": COLUMN_MAP}]},
        )
        for form, write in writers.items():
            path = Path(folder, f"export.{form}")
            url = await databases.create_migrated()
            figures[form] = await _import(url, organisation, path, write(path, rows), once=once)
            await databases.drop(url)
    return figures


async def _import(url: str, organisation: Path, path: Path, size: int, *, once: bool) -> dict[str, Any]:
    settings = IntakeSettings(environment="test", database_url=url, sealing_keys=ENCRYPTION_KEYS, organisation=organisation)
    database, key_ring = Database(settings, "intake"), EncryptionKeyRing.parse(ENCRYPTION_KEYS)
    parts = make_parts(settings, load_checked_organisation(organisation), key_ring, Clock.parse("", "test"), database)
    work = make_imports(database, parts)
    _reset_peak()
    begin, before = _peak(), _usage()
    accepted = await _timed(lambda: work.accept(path, path.name, "web"))
    first = await _timed(lambda: work.run(accepted[1].id, "bench"))
    used = [after - earlier for after, earlier in zip(_usage(), before, strict=True)]
    peak = _peak()
    report = await _timed(lambda: _report(work, accepted[1].id, path))
    again = None if once else await _timed(lambda: _again(work, path))
    await database.close()
    rows, megabytes = first[1].rows_done, round(size / 1e6, 1)
    return {
        "file_megabytes": megabytes,
        "accept_seconds": round(accepted[0], 2),
        "import_seconds": round(first[0], 1),
        "rows_a_second": round(rows / first[0]),
        "cpu_microseconds_a_row": {"service": round(used[0] / rows * 1e6), "reading_the_workbook": round(used[1] / rows * 1e6)},
        "memory_megabytes": {"before": begin, "peak": peak, "peak_of_the_reader": round(_children_peak())},
        "report_seconds": round(report[0], 1),
        "counts": orjson.loads(first[1].counts),
        **({"same_rows_again_a_second": round(rows / again[0]), "counts_again": orjson.loads(again[1].counts)} if again else {}),
    }


async def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = await work()
    return time.perf_counter() - start, result


async def _again(work: Imports, path: Path) -> Any:
    return await work.run((await work.accept(path, path.name, "web")).id, "bench")


async def _report(work: Imports, import_id: str, path: Path) -> None:
    async with work.database.transaction() as tx:
        item = await imports.find_import(tx, import_id)
    if item is not None:
        await write_report(work, item, path.with_suffix(".report"))


def _rows(count: int) -> Iterator[list[str]]:
    for number in range(count):
        text = f"{number % 40}号楼电梯停运，老人下不了楼，请尽快派人维修，这是第{number}次来电"
        yield [f"G-{number:06}", f"2026/11/9 {number % 24}:{number % 60:02}", "王先生", f"138{number:08}", text]


def _write_csv(path: Path, count: int) -> int:
    with path.open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows([TITLES, *_rows(count)])
    return path.stat().st_size


def _write_excel(path: Path, count: int) -> int:
    workbook = xlsxwriter.Workbook(path, {"constant_memory": True})
    sheet = workbook.add_worksheet()
    for number, row in enumerate([TITLES, *_rows(count)]):
        sheet.write_row(number, 0, row)
    workbook.close()
    return path.stat().st_size


def _usage() -> tuple[float, float]:
    """Seconds of CPU of this process and of the processes that it has waited for."""
    times = os.times()
    return times.user + times.system, times.children_user + times.children_system


def _children_peak() -> float:
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def _reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak() -> float:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return next(round(int(line.split()[1]) / 1024, 1) for line in status.splitlines() if line.startswith("VmHWM"))


if __name__ == "__main__":
    main()
