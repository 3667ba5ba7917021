"""The real services beside the delivery skeleton and bare aiokafka, in turns in one run; then a profile of each service by layer."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from statistics import median
from typing import Any

from cli.stack.stack import Stack
from deploy.embedded import EmbeddedServers
from shared.procedures.loading.loader import load_organisation
from tests.bench.limits.hops import HOPS, RecordShape, record_shape
from tests.bench.limits.systems import ComparedSystem, real_system, start_bare, start_skeleton
from tests.bench.measuring.outcome import Bench, Goal, Options, Outcome
from tests.bench.measuring.profiling import ProfiledServices, profile_tables
from tests.bench.measuring.stacks import ORGANISATIONS, started_stack
from tests.bench.measuring.tables import table

PROCEDURE = "one-notice"
COMPLAINTS = 4000
SHARE_OF_WORK = {"bare": 4, "skeleton": 2, "real": 1}
"""A round of a faster system has more complaints, so that all rounds take some seconds."""
PARTS = (*HOPS, "kafka", "postgres", "client")


def measure(options: Options) -> Outcome:
    """Rounds in turns, then the profile."""
    complaints = options.complaints or COMPLAINTS
    with started_stack(PROCEDURE, lambda line: print(line, file=sys.stderr)) as (stack, servers), ExitStack() as exits:  # noqa: T201
        # The desk is no hop of a complaint, and the skeleton has none.
        stack.processes.pop("desk").stop()
        real = real_system(stack)
        asyncio.run(real.run_round(servers, complaints))
        departments = [department.id for department in load_organisation(ORGANISATIONS[PROCEDURE]).departments]
        shape = asyncio.run(record_shape(servers.bootstrap_servers, departments))
        started = (start_bare(servers, stack.root, shape, exits), start_skeleton(servers, stack.root, shape, exits))
        for system in started:
            asyncio.run(system.run_round(servers, complaints * SHARE_OF_WORK[system.name]))
        rounds = asyncio.run(_rounds(servers, [*started, real], options.rounds, complaints))
        profile = _profile(stack, servers, complaints) if options.profile else {}
    return _outcome(rounds, shape, complaints, profile)


async def _rounds(
    servers: EmbeddedServers, systems: Sequence[ComparedSystem], number: int, complaints: int
) -> dict[str, list[dict[str, float]]]:
    rounds: dict[str, list[dict[str, float]]] = {system.name: [] for system in systems}
    for _ in range(number):
        for system in systems:
            rounds[system.name].append(await system.run_round(servers, complaints * SHARE_OF_WORK[system.name]))
            sys.stderr.write(f"{system.name}: {rounds[system.name][-1]}\n")
    return rounds


def _outcome(
    rounds: Mapping[str, Sequence[Mapping[str, float]]], shape: RecordShape, complaints: int, profile: Mapping[str, Any]
) -> Outcome:
    ratios = {name: median(_ratios(rounds, name, kind)) for name, kind in RATIOS}
    figures = {
        "complaints": complaints,
        "rounds": {name: list(each) for name, each in rounds.items()},
        "ratios": {name: round(value, 3) for name, value in ratios.items()},
        "records": shape.describe(),
        "profile": profile,
    }
    goals = [
        Goal("end to end, share of the delivery skeleton, same run", round(ratios["rate / skeleton"] * 100), 60, "%"),
        Goal("end to end, share of bare aiokafka, same run", round(ratios["rate / bare"] * 100), 30, "%"),
        Goal("CPU a complaint against the skeleton's, same run", round(ratios["CPU / skeleton"], 2), 1.6, "times", at_most=True),
    ]
    return Outcome(figures, goals)


RATIOS = (("rate / skeleton", "skeleton"), ("rate / bare", "bare"), ("CPU / skeleton", "skeleton"), ("CPU / bare", "bare"))


def _ratios(rounds: Mapping[str, Sequence[Mapping[str, float]]], name: str, other: str) -> list[float]:
    """Of the rounds that ran one after the other, so that the machine's other work is as even as it can be."""
    pairs = zip(rounds["real"], rounds[other], strict=True)
    if name.startswith("rate"):
        return [real["complaints_a_second"] / limit["complaints_a_second"] for real, limit in pairs]
    return [cpu_of_services_and_servers(real) / cpu_of_services_and_servers(limit) for real, limit in pairs]


def cpu_of_services_and_servers(figures: Mapping[str, float]) -> float:
    """CPU µs a complaint without the client."""
    return sum(figures.get(part, 0.0) for part in PARTS if part != "client")


def _profile(stack: Stack, servers: EmbeddedServers, complaints: int) -> dict[str, Any]:
    """Samples by layer of each service, started again under the profiler."""
    services = ProfiledServices(stack, tuple(HOPS))
    real = real_system(stack)
    real.sent = 10_000_000
    asyncio.run(real.run_round(servers, complaints // 2))
    services.reset()
    figures = asyncio.run(real.run_round(servers, complaints))
    return {name: {**samples, "micros": figures[name]} for name, samples in services.stop().items()}


def section(figures: Mapping[str, Any]) -> Iterator[str]:
    """Ratios first, then medians of rates and CPU by part, then the profile."""
    rounds = figures["rounds"]
    yield "The same records in three systems on the same Kafka and PostgreSQL, in turns; medians of"
    yield f"{len(rounds['real'])} rounds of {figures['complaints']:,} complaints (bare four times, skeleton twice as many)."
    yield "*Bare* consumes a batch, decodes JSON, produces; *skeleton* does the inbox, state, timer and outbox transactions of"
    yield "`shared/runtime` and takes no decision; *real* are the services, without the desk. A round ends when every record is read and"
    yield "every outbox empty. A complaint's records are those of the real run:"
    sizes = figures["records"].items()
    yield ", ".join(f"{size['records']} on `{topic}` ({size['bytes']:,} bytes)" for topic, size in sizes) + ".\n"
    yield "Where others want the processors too, batches hold few records and every system pays mostly for polls and transactions: the"
    yield "ratios then say little. Take them from a run that began with a load below the number of cores.\n"
    by_round = {name: _ratios(rounds, name, other) for name, other in RATIOS}
    yield from table(
        ("ratio of the real services", "median of the rounds", "least to most"),
        [(name, f"{median(values):.2f}", f"{min(values):.2f} to {max(values):.2f}") for name, values in by_round.items()],
    )
    medians = {name: _median(each) for name, each in rounds.items()}
    names = ("bare", "skeleton", "real")
    rows = [("complaints a second", *(f"{medians[name]['complaints_a_second']:,.0f}" for name in names), "")]
    for part in PARTS:
        values = [medians[name].get(part) for name in names]
        skeleton, real = medians["skeleton"][part], medians["real"][part]
        rows.append((f"{part}, CPU µs", *("" if value is None else f"{value:,.0f}" for value in values), f"{real / skeleton:.1f}"))
    totals = [cpu_of_services_and_servers(medians[name]) for name in names]
    rows.append(("services and servers, CPU µs", *(f"{total:,.0f}" for total in totals), f"{totals[2] / totals[1]:.1f}"))
    yield from table(("", *names, "real / skeleton"), rows)
    if figures["profile"]:
        yield from _profile_section(figures["profile"])


def _profile_section(profile: Mapping[str, Any]) -> Iterator[str]:
    yield "### Where the time goes\n"
    yield "Share of each service's CPU by layer, sampled every 5 ms of CPU while complaints go through; µs a complaint in the last row,"
    yield "the profiler's own work included.\n"
    yield from profile_tables(profile, ("CPU µs", {name: f"{samples['micros']:,.0f}" for name, samples in profile.items()}))


def _median(rounds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {part: median(each[part] for each in rounds) for part in rounds[0]}


BENCH = Bench("The real services, the delivery skeleton and bare aiokafka", measure, section)
