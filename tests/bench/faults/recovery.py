"""Measures how soon throughput is back after each kind of fault, at a steady load, with all servers and services on one machine.

Run with `python -m tests.bench.faults.recovery [--rate N] [--minutes N] [--only KIND …]`; figures go to var/bench/recovery.json.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cli.service_names import SERVICES
from tests.bench.measuring.results import write_figures
from tests.support.faults.plan import BROKER, PlannedFault
from tests.support.faults.recovery.server_watch import ServerWatch
from tests.support.faults.recovery.stage_instants import SETTINGS, read_stage_instants
from tests.support.faults.recovery.throughput import AFTER_SECONDS, USUAL_SECONDS, FaultMarks, recovery_figures
from tests.support.faults.system import FaultySystem, faulty_system
from tests.support.messaging.workload import WorkloadClient, workload_client
from tests.support.waiting import wait_for

RATE = 8.0
"""Complaints a second: far below what the machine can carry, so that a fault is what is measured, not the backlog that it leaves."""
WARM_UP_SECONDS = 30.0
WHOLE_SECONDS = 600.0
"""The longest wait for the servers and the groups."""
LAST_SECONDS = 600.0
"""For the complaints that are under way at the end."""
_HTTP_EACH = 3
FAULTS: tuple[tuple[str, str, float], ...] = (
    ("cut off", BROKER, 15.0),
    ("hold locks", "postgres", 5.0),
    ("garbage", "sms", 4.0),
    ("restart", "postgres", 0.0),
    ("freeze", "sla", 8.0),
    ("kill", "sla", 0.0),
    ("no connections", "postgres", 5.0),
    ("terminate", "sla", 0.0),
    ("reset", BROKER, 4.0),
    ("join", "sla", 8.0),
    ("full disk", "postgres", 5.0),
    ("kill", BROKER, 0.0),
    ("unavailable", "sms", 4.0),
    ("close backends", "postgres", 0.0),
    ("kill", "postgres", 0.0),
    ("delay", BROKER, 6.0),
    ("hold rows", "postgres", 5.0),
    ("stop at once", "postgres", 0.0),
    ("stay down", "sla", 10.0),
    ("roll", "sla", 0.0),
    ("join two", "triage", 12.0),
    ("clock ahead", "sla", 6.0),
    ("clock behind", "triage", 6.0),
    ("half", "sms", 4.0),
    ("twice", "sms", 4.0),
    ("freeze", BROKER, 8.0),
    *(("kill", target, 0.0) for target in ("intake", "triage", "notify", "sinks")),
    ("terminate", BROKER, 0.0),
    ("cut off", "sms", 10.0),
    ("freeze", "triage", 8.0),
)
"""Kind, target and length of each fault; where the time is short, the first ones show most."""


async def measure(system: FaultySystem, faults: Sequence[PlannedFault], rate: float, minutes: float) -> dict[str, Any]:
    """Inject the faults one after the other under a steady load, as many as begin within that time."""
    end = time.monotonic() + minutes * 60
    watch = ServerWatch([system.stack.url(name) for name in SERVICES], system.database_url, system.bootstrap_servers)
    marks: list[tuple[PlannedFault, FaultMarks, float]] = []
    async with workload_client(system.stack, now=system.clock.now) as client:
        helpers = [asyncio.create_task(work) for work in (system.processes.supervise(), watch.run())]
        client.timeout = LAST_SECONDS
        over = asyncio.Event()
        load = asyncio.create_task(_send(client, rate, over))
        await asyncio.sleep(WARM_UP_SECONDS)
        for fault in faults:
            if time.monotonic() > end:
                break
            print(fault, file=sys.stderr)  # noqa: T201
            marks.append((fault, await _inject(system, watch, fault), os.getloadavg()[0]))
            await asyncio.sleep(max(AFTER_SECONDS, USUAL_SECONDS))
        over.set()
        await asyncio.wait_for(load, LAST_SECONDS)
        await asyncio.sleep(USUAL_SECONDS)
        for helper in helpers:
            helper.cancel()
        await asyncio.gather(*helpers, return_exceptions=True)
    stages = await read_stage_instants(system.database_url, system.bootstrap_servers)
    results = [{**asdict(fault), "load": load_average, **recovery_figures(mark, stages, rate)} for fault, mark, load_average in marks]
    return {"rate": rate, "complaints": len(client.accepted), "faults": results}


async def _inject(system: FaultySystem, watch: ServerWatch, fault: PlannedFault) -> FaultMarks:
    began = time.time()
    await system.inject(fault)
    over = time.time()
    await wait_for(lambda: watch.looked > over and watch.whole is not None, WHOLE_SECONDS, what=f"servers and groups after {fault}")
    assert watch.whole is not None
    assert watch.answering is not None
    return FaultMarks(began, over, max(over, watch.answering), max(over, watch.whole))


async def _send(client: WorkloadClient, rate: float, over: asyncio.Event) -> None:
    """Each complaint at its instant, whether those before it were accepted or not."""
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number in count():
            if over.is_set():
                return
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
            group.create_task(client.submit_by_http(number) if number % _HTTP_EACH == 0 else client.submit_by_kafka(number))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--minutes", type=float, default=math.inf, help="no fault begins later")
    parser.add_argument("--only", nargs="*", default=[], help="kinds of faults; all by default")
    options = parser.parse_args()
    chosen = [(kind, target, seconds) for kind, target, seconds in FAULTS if not options.only or kind in options.only]
    faults = [PlannedFault(number, 0.0, *fault) for number, fault in enumerate(chosen, 1)]
    with (
        TemporaryDirectory(prefix="jiesu-recovery-") as folder,
        faulty_system(Path(folder), "recovery", factor=1.0, postgres_settings=SETTINGS) as system,
    ):
        allowed = {kind.name for kind in system.kinds}
        figures = asyncio.run(measure(system, [fault for fault in faults if fault.kind in allowed], options.rate, options.minutes))
    write_figures("recovery", figures)


if __name__ == "__main__":
    main()
