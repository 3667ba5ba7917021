"""A million armed timers of the runtime: how late they fire at a steady rate, how many fire a second, and how soon after a restart.

The process is the skeleton of sla: it locks the case, deletes the timer, arms the next one and adds an event to the outbox, and decides
nothing. An instant counts as reached when the broker has appended the event. Beside it, sla itself fires the timers of real cases.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg
import orjson

from deploy.embedded import EmbeddedServers
from tests.bench.growth import decided_timers
from tests.bench.growth.timer_runs import ARM, DUE_AT_ONCE, RATE, TimerRuns, open_events
from tests.bench.limits.hops import RecordShape, RecordTemplate
from tests.bench.limits.systems import ComparedSystem, HopCommand, start_skeleton
from tests.bench.measuring.outcome import Bench, Goal, Options, Outcome
from tests.bench.measuring.profiling import profile_tables
from tests.bench.measuring.results import FOLDER
from tests.bench.measuring.stacks import POSTGRES
from tests.bench.measuring.tables import table
from tests.support.servers.databases import asyncpg_dsn

TIMERS = 1_000_000
NOW, BEFORE = "now", "before"
_ANY_EVENT = RecordShape([RecordTemplate("triage-events", "classified", {})])
_PARTS = ("sla", "postgres", "kafka")
_ROWS = (
    (f"late at {RATE:,} due a second, p50, s", "lateness_p50_seconds"),
    ("p99, s", "lateness_p99_seconds"),
    ("most, s", "lateness_most_seconds"),
    ("early", "early"),
    (f"fires a second, {DUE_AT_ONCE:,} due at once", "fires_a_second"),
    ("from the start of the process to the first timer, s", "restart_seconds"),
    ("of it, until it connects to the database, s", "restart_connected_seconds"),
    ("of it, CPU of the process, s", "restart_cpu_seconds"),
)


def measure(options: Options) -> Outcome:
    """On servers of their own; `complaints` is the number of armed timers, `against` the Python of the checkout to compare with."""
    timers = options.complaints or TIMERS
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        TemporaryDirectory(dir=FOLDER) as name,
        EmbeddedServers(Path(name) / "servers", postgres_settings=POSTGRES) as servers,
        ExitStack() as exits,
    ):
        system = start_skeleton(servers, Path(name), _ANY_EVENT, exits, hops=())
        rounds, profile = asyncio.run(_measure(servers, system, timers, options))
    figures: dict[str, Any] = {"timers": timers, "rounds": rounds, "profile": profile, "decided": decided_timers.measure()}
    now = _medians(rounds[NOW])
    goals = [
        Goal(f"{timers:,} armed timers, {RATE:,} due a second: lateness p99", now["lateness_p99_seconds"], 1, "s", at_most=True),
        Goal("the same: fires a second", now["fires_a_second"], 20_000, "/s"),
        Goal("the same: from restart to firing", now["restart_seconds"], 3, "s", at_most=True),
    ]
    return Outcome(figures, goals)


async def _measure(
    servers: EmbeddedServers, system: ComparedSystem, timers: int, options: Options
) -> tuple[dict[str, list[dict[str, float]]], dict[str, Any]]:
    """Rounds in turns, then one round under the profiler."""
    assert system.command is not None
    connection = await asyncpg.connect(asyncpg_dsn(system.database_url or ""))
    await connection.execute(ARM, timers)
    await connection.execute("VACUUM ANALYZE sla.timer")
    await connection.execute("VACUUM ANALYZE sla.skeleton_state")
    events = await open_events(servers.bootstrap_servers, system.prefix)
    runs = TimerRuns(servers, connection, events, system.prefix)
    commands = {NOW: system.command}
    if options.against:
        commands = {BEFORE: replace(system.command, python=options.against), NOW: system.command}
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in commands}
    for _ in range(options.rounds):
        for name, command in commands.items():
            rounds[name].append(await runs.run(command))
            sys.stderr.write(f"{name}: {rounds[name][-1]}\n")
    profile = await _profile(runs, system.command) if options.profile else {}
    await events.stop()
    await connection.close()
    return rounds, profile


async def _profile(runs: TimerRuns, command: HopCommand) -> dict[str, Any]:
    file = command.folder / "profile.json"
    figures = await runs.run(command, file)
    return {"sla": orjson.loads(file.read_bytes()), "sla_micros_at_once": figures["sla_micros_at_once"]}


def _medians(rounds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: round(median(each[name] for each in rounds), 3) for name in rounds[0]}


def section(figures: Mapping[str, Any]) -> Iterator[str]:
    """Rounds in turns, the profile, and sla itself."""
    medians = {name: _medians(rounds) for name, rounds in figures["rounds"].items()}
    in_turns = ", *before* and *now* in turns" if BEFORE in medians else ""
    yield f"{figures['timers']:,} armed timers of the runtime in one process without decisions: lock the case, delete the timer, arm the"
    yield "next one, add an event to the outbox. Late is from the due instant until the broker has appended the event. Medians of"
    yield f"{len(figures['rounds'][NOW])} rounds{in_turns}. What was tried is in [decision 82](../adr/0082-due-timers-by-partition.md).\n"
    yield from table(("", *medians), [(text, *(f"{each[name]:,g}" for each in medians.values())) for text, name in _ROWS])
    yield "CPU of process + PostgreSQL + Kafka:\n"
    yield from table(("", *medians), list(_cpu_rows(medians)))
    if profile := figures["profile"]:
        yield "Where the CPU of the process goes, over all of these runs and its start, under the profiler:\n"
        yield from profile_tables({"sla": profile["sla"]}, ("CPU µs a timer, due at once", {"sla": f"{profile['sla_micros_at_once']:,}"}))
    yield from decided_timers.section(figures["decided"])


def _cpu_rows(medians: Mapping[str, Mapping[str, float]]) -> Iterator[tuple[str, ...]]:
    for text, pattern in (
        (f"µs a timer, {RATE:,} due a second", "{}_micros_steady"),
        ("µs a timer, due at once", "{}_micros_at_once"),
        ("at rest, percent of a core", "{}_rest_percent"),
    ):
        yield text, *(" + ".join(f"{each[pattern.format(part)]:,g}" for part in _PARTS) for each in medians.values())


BENCH = Bench("Armed timers", measure, section)
