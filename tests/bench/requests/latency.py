"""How long after its acceptance a complaint is on its department's topic, at low load, and where the time is spent waiting."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from cli.service_names import SERVICES
from cli.stack.stack import Stack
from deploy.embedded import EmbeddedServers
from shared.contracts.topics import COMPLAINT_EVENTS, TRIAGE_EVENTS, Topic, department_topic
from shared.procedures.loading.loader import load_organisation
from tests.bench.limits.hops import read_all
from tests.bench.limits.systems import real_system
from tests.bench.measuring.backlog import open_backlog
from tests.bench.measuring.outcome import Bench, Goal, Options, Outcome
from tests.bench.measuring.processes import cpu_by_part, process_ids
from tests.bench.measuring.profiling import ProfiledServices, profile_tables
from tests.bench.measuring.service_metrics import HistogramTotals
from tests.bench.measuring.stacks import ORGANISATIONS, started_stack
from tests.bench.measuring.tables import quantile, table
from tests.bench.requests.accepting import PROCEDURE, api_key
from tests.bench.requests.load_client import LoadOrder, LoadReport, run_load
from tests.support.waiting import wait_for

RATES = (20, 100)
SECONDS = 30.0
REST_SECONDS = 30.0
_START_SECONDS = 30.0
WARM_UP = 1000
_READERS = {"triage": COMPLAINT_EVENTS.name, "sla": TRIAGE_EVENTS.name}
"""Of the two hops between intake and the department: what each one reads."""


def measure(options: Options) -> Outcome:
    """Each rate after a rest, on one stack; then the services at rest."""
    with started_stack(PROCEDURE, lambda line: print(line, file=sys.stderr)) as (stack, servers):  # noqa: T201
        asyncio.run(real_system(stack).run_round(servers, WARM_UP))
        by_rate = {str(rate): asyncio.run(_measure_rate(stack, servers, rate)) for rate in RATES}
        rest = asyncio.run(_measure_rest(stack, servers))
        profile = asyncio.run(_profile_rest(stack)) if options.profile else {}
    goals = [
        *_latency_goals(by_rate["20"], "20/s", 80, 250),
        *_latency_goals(by_rate["100"], "100/s", 150, 500),
        Goal("services at rest, all together, share of a core", rest["services"], 3, "%", at_most=True),
    ]
    return Outcome({"rates": by_rate, "rest": rest, "rest_profile": profile}, goals)


def _latency_goals(figures: Mapping[str, Any], rate: str, p50: float, p99: float) -> Iterator[Goal]:
    yield Goal(f"accept → department topic at {rate}, p50", figures["p50_ms"], p50, "ms", at_most=True)
    yield Goal(f"accept → department topic at {rate}, p99", figures["p99_ms"], p99, "ms", at_most=True)


async def _measure_rate(stack: Stack, servers: EmbeddedServers, rate: int) -> dict[str, Any]:
    before = {name: await HistogramTotals.read(stack.url(name)) for name in _READERS}
    report = await run_load(LoadOrder(stack.ports["intake"], api_key(), SECONDS, 1_000_000 * rate, rate=rate))
    async with open_backlog(servers.bootstrap_servers, stack.environment["DATABASE_URL"], "") as backlog:
        await wait_for(backlog.is_empty, deadline=120, what="all processed", pause=0.2)
    after = {name: await HistogramTotals.read(stack.url(name)) for name in _READERS}
    departments = [department_topic(each.id) for each in load_organisation(ORGANISATIONS[PROCEDURE]).departments]
    instants = [await _first_instants(servers, topics) for topics in ([COMPLAINT_EVENTS], [TRIAGE_EVENTS], departments)]
    return _figures(report, instants, before, after)


def _figures(
    report: LoadReport,
    instants: Sequence[Mapping[str, float]],
    before: Mapping[str, HistogramTotals],
    after: Mapping[str, HistogramTotals],
) -> dict[str, Any]:
    cases = [case for case in report.accepted_at if all(case in known for known in instants)]
    points = [report.accepted_at, *instants]
    steps = [[(later[case] - earlier[case]) * 1000 for case in cases] for earlier, later in pairwise(points)]
    totals = [(instants[-1][case] - report.accepted_at[case]) * 1000 for case in cases]
    waits = {"intake: outbox, sending": _mean(steps[0])}
    for (service, topic), step in zip(_READERS.items(), steps[1:], strict=True):
        lag = after[service].mean_since(before[service], f'jiesu_record_lag_seconds{{topic="{topic}"}}') * 1000
        batch = after[service].mean_since(before[service], "jiesu_batch_duration_seconds") * 1000
        waits |= {
            f"{service}: fetch and linger": lag - batch,
            f"{service}: transaction": batch,
            f"{service}: outbox, sending": _mean(step) - lag,
        }
    return {
        "cases": len(cases),
        "missing": len(report.accepted_at) - len(cases),
        "p50_ms": round(quantile(totals, 0.5), 1),
        "p99_ms": round(quantile(totals, 0.99), 1),
        "mean_ms": round(_mean(totals), 1),
        "answer_p50_ms": round(report.p50_ms, 1),
        "waits_ms": {name: round(wait, 1) for name, wait in waits.items()},
    }


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


async def _first_instants(servers: EmbeddedServers, topics: Sequence[Topic]) -> dict[str, float]:
    """When the broker appended the first record of each case, in seconds."""
    instants: dict[str, float] = {}
    for record in await read_all(servers.bootstrap_servers, topics):
        case = record.key.decode()
        instants[case] = min(instants.get(case, record.timestamp / 1000), record.timestamp / 1000)
    return instants


async def _measure_rest(stack: Stack, servers: EmbeddedServers) -> dict[str, float]:
    """Shares of a core in percent, by part; the servers' apart from the services'."""
    await asyncio.sleep(10)
    before = cpu_by_part(process_ids(stack, servers))
    await asyncio.sleep(REST_SECONDS)
    after = cpu_by_part(process_ids(stack, servers))
    shares = {part: round((after[part] - before[part]) / REST_SECONDS * 100, 2) for part in after if part != "senders"}
    services = round(sum(share for part, share in shares.items() if part not in {"kafka", "postgres", "sinks"}), 2)
    return {**shares, "services": services}


async def _profile_rest(stack: Stack) -> dict[str, Any]:
    """Samples of each service at rest."""
    services = ProfiledServices(stack, SERVICES)
    await asyncio.sleep(_START_SECONDS)
    services.reset()
    await asyncio.sleep(REST_SECONDS * 2)
    return await asyncio.to_thread(services.stop)


def section(figures: Mapping[str, Any]) -> Iterator[str]:
    """Latency by rate, what it is made up of, and the services at rest."""
    rates = figures["rates"]
    yield "From the answer to the request until the broker has appended the complaint's first record to its department's topic."
    yield f"Complaints arrive by HTTP at an even rate for {SECONDS:.0f} s. Means of the waits add up to the mean; of a batch's transaction"
    yield "the mean is over batches.\n"
    rows = [(label, *(f"{figure[key]:,.0f}" for figure in rates.values())) for label, key in _ROWS]
    waits = [(f"of it: {wait}", *(f"{figure['waits_ms'][wait]:,.0f}" for figure in rates.values())) for wait in rates["20"]["waits_ms"]]
    yield from table(("ms", *(f"{rate}/s" for rate in rates)), [*rows, *waits])
    rest = figures["rest"]
    yield f"At rest, in percent of a core: {', '.join(f'{part} {share}' for part, share in rest.items() if part != 'services')};"
    yield f"the five services together {rest['services']}.\n"
    if profile := figures.get("rest_profile"):
        yield "### Where the time at rest goes\n"
        yield "Shares of the CPU that each service uses at rest, as above; the number of samples in the last row.\n"
        yield from profile_tables(profile, ("samples", {name: f"{sum(part['layers'].values())}" for name, part in profile.items()}))


_ROWS = (("p50", "p50_ms"), ("p99", "p99_ms"), ("mean", "mean_ms"))
BENCH = Bench("From accepting to the department's topic", measure, section)
