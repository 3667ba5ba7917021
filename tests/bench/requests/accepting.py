"""Accepting by HTTP with intake alone; and with all services while twice as many complaints arrive as they can process."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from cli.stack.stack import Stack
from deploy.embedded import EmbeddedServers
from tests.bench.limits.systems import real_system
from tests.bench.measuring.outcome import Bench, Goal, Options, Outcome
from tests.bench.measuring.processes import cpu_by_part, process_ids
from tests.bench.measuring.stacks import ORGANISATIONS, started_stack
from tests.bench.measuring.submissions import SOURCE
from tests.bench.measuring.tables import table
from tests.bench.requests.load_client import LoadOrder, LoadReport, run_load

PROCEDURE = "one-notice"
SECONDS = 15.0
CARRIED = 3000
"""Complaints of the round that measures what the services can process."""
BATCH = 100
_NOT_NEEDED = ("triage", "sla", "notify", "desk", "sinks")


def api_key() -> str:
    """The key of the source in the bench's organisation."""
    secrets = yaml.safe_load((ORGANISATIONS[PROCEDURE].parent / "secrets.yaml").read_text(encoding="utf-8"))
    return str(secrets["sources"][SOURCE]["api_key"])


def measure(_: Options) -> Outcome:
    """Overload first, while all services run; then intake alone."""
    with started_stack(PROCEDURE, lambda line: print(line, file=sys.stderr)) as (stack, servers):  # noqa: T201
        system = real_system(stack)
        for _warm_up in range(2):
            carried = asyncio.run(system.run_round(servers, CARRIED))["complaints_a_second"]
        figures: dict[str, Any] = {"carried_a_second": carried}
        figures["overload"] = _load(stack, servers, LoadOrder(stack.ports["intake"], api_key(), SECONDS, 2_000_000, rate=2 * carried))
        for name in _NOT_NEEDED:
            stack.processes.pop(name).stop()
        order = LoadOrder(stack.ports["intake"], api_key(), SECONDS, 3_000_000)
        _load(stack, servers, order)  # warms up
        figures["alone"] = _load(stack, servers, LoadOrder(order.port, order.key, SECONDS, 4_000_000))
        figures["batch"] = _load(stack, servers, LoadOrder(order.port, order.key, SECONDS, 5_000_000, connections=8, batch=BATCH))
    return Outcome(figures, _goals(figures))


def _load(stack: Stack, servers: EmbeddedServers, order: LoadOrder) -> dict[str, Any]:
    return asyncio.run(_run_load(stack, servers, order))


async def _run_load(stack: Stack, servers: EmbeddedServers, order: LoadOrder) -> dict[str, Any]:
    before = cpu_by_part(process_ids(stack, servers))
    report = await run_load(order)
    after = cpu_by_part(process_ids(stack, servers))
    accepted = max(1.0, report.accepted_a_second * report.seconds)
    micros = {part: round((after[part] - before[part]) / accepted * 1e6) for part in after if part != "senders"}
    return {
        **_rounded(report),
        "offered_a_second": order.rate,
        "micros_a_complaint": {**micros, "client": round(report.cpu_seconds / accepted * 1e6)},
    }


def _rounded(report: LoadReport) -> dict[str, Any]:
    requests = sum(report.statuses.values())
    return {
        "accepted_a_second": round(report.accepted_a_second),
        "p50_ms": round(report.p50_ms, 1),
        "p99_ms": round(report.p99_ms, 1),
        "rejected_p99_ms": round(report.rejected_p99_ms, 1),
        "statuses": report.statuses,
        "share_with_retry_after": round(report.retry_after / max(1, requests), 3),
    }


def _goals(figures: Mapping[str, Any]) -> list[Goal]:
    return [
        Goal("accept by HTTP, durable, one process, 64 clients", figures["alone"]["accepted_a_second"], 2500, "/s"),
        Goal("the same, p99", figures["alone"]["p99_ms"], 60, "ms", at_most=True),
        Goal(f"accept by HTTP in batches of {BATCH}", figures["batch"]["accepted_a_second"], 10_000, "/s"),
        Goal("accept at twice the load that is processed, p99", figures["overload"]["p99_ms"], 500, "ms", at_most=True),
    ]


def section(figures: Mapping[str, Any]) -> Iterator[str]:
    """One column a load."""
    yield "*Alone*: intake on its PostgreSQL, 64 connections, triage, sla, notify and desk stopped. *Batch*: 8 connections with"
    yield f"{BATCH} complaints a request. *Overload*: all services run, and requests arrive at twice the"
    yield f"{figures['carried_a_second']:,.0f} complaints a second that they processed just before; times count from"
    yield "when a request was due.\n"
    names = ("alone", "batch", "overload")
    loads = [figures[name] for name in names]
    rows = [
        ("accepted a second", *(f"{load['accepted_a_second']:,}" for load in loads)),
        ("p50 of accepted, ms", *(f"{load['p50_ms']:,.0f}" for load in loads)),
        ("p99 of accepted, ms", *(f"{load['p99_ms']:,.0f}" for load in loads)),
        ("answers with Retry-After", *(f"{load['share_with_retry_after']:.0%}" for load in loads)),
        ("statuses", *(", ".join(f"{status}: {number:,}" for status, number in load["statuses"].items()) for load in loads)),
        *(
            (f"{part}, CPU µs a complaint", *(f"{load['micros_a_complaint'].get(part, 0):,}" for load in loads))
            for part in ("intake", "postgres", "kafka", "client")
        ),
    ]
    yield from table(("", *names), rows)


BENCH = Bench("Accepting by HTTP", measure, section)
