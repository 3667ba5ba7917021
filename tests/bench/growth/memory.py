"""Memory of every process while complaints arrive at an even rate: its size, and by how much it rises after the first third of the run."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any

from cli.service_names import SERVICES
from cli.stack.stack import Stack
from deploy.embedded import EmbeddedServers
from shared.runtime.kafka.producer import Producer
from tests.bench.measuring.outcome import Bench, Goal, Options, Outcome
from tests.bench.measuring.processes import measure_usage
from tests.bench.measuring.stacks import started_stack
from tests.bench.measuring.submissions import CHUNK, send_chunk
from tests.bench.measuring.tables import table

PROCEDURE = "one-notice"
MINUTES = 3.0
"""Of a short run; 30 before a release."""
RATE = 50.0
SAMPLE_SECONDS = 10.0
WINDOW_SECONDS = 60.0
"""Sizes are medians of a minute."""


def measure(options: Options) -> Outcome:
    """Load and samples for the minutes of the options."""
    figures = measure_memory(options.minutes or MINUTES, RATE)
    services = [figures["megabytes"][part] for part in SERVICES]
    rise, most = max(size["rise_percent"] for size in services), max(size["most"] for size in services)
    goals = [
        Goal("memory of a service: rise after a third of the run, most", rise, 3, "%", at_most=True),
        Goal("memory of a service, most", most, 400, "MB", at_most=True),
    ]
    return Outcome(figures, goals)


def measure_memory(minutes: float, rate: float) -> dict[str, Any]:
    """The sizes of every process, with `rate` complaints a second on new servers and services."""
    with started_stack(PROCEDURE, lambda line: print(line, file=sys.stderr)) as (stack, servers):  # noqa: T201
        samples, sent = asyncio.run(_run(stack, servers, minutes * 60, rate))
    sizes = {part: _sizes(samples, part, minutes * 60) for part in samples[0][1]}
    return {"minutes": minutes, "sent": sent, "samples": len(samples), "megabytes": sizes}


async def _run(stack: Stack, servers: EmbeddedServers, seconds: float, rate: float) -> tuple[list[tuple[float, Mapping[str, float]]], int]:
    stop = asyncio.Event()
    sending = asyncio.create_task(_send(servers, stop, rate))
    samples: list[tuple[float, Mapping[str, float]]] = []
    began = time.monotonic()
    while (elapsed := time.monotonic() - began) < seconds:
        samples.append((elapsed, measure_usage(stack, servers).resident_megabytes))
        await asyncio.sleep(SAMPLE_SECONDS)
    stop.set()
    return samples, await sending


async def _send(servers: EmbeddedServers, stop: asyncio.Event, rate: float) -> int:
    producer = Producer({"bootstrap_servers": servers.bootstrap_servers}, timeout=30.0)
    sent, began = 0, time.monotonic()
    while not stop.is_set():
        await send_chunk(producer, range(sent, sent + CHUNK))
        sent += CHUNK
        await asyncio.sleep(max(0.0, began + sent / rate - time.monotonic()))
    await producer.close()
    return sent


def _sizes(samples: Sequence[tuple[float, Mapping[str, float]]], part: str, seconds: float) -> dict[str, float]:
    def size_at(instant: float) -> float:
        return median(sizes[part] for elapsed, sizes in samples if instant - WINDOW_SECONDS <= elapsed <= instant)

    early, late = size_at(max(WINDOW_SECONDS, seconds / 3)), size_at(seconds)
    return {
        "early": round(early, 1),
        "late": round(late, 1),
        "most": round(max(sizes[part] for _, sizes in samples), 1),
        "rise_percent": round((late / early - 1) * 100, 1),
    }


def section(figures: Mapping[str, Any]) -> Iterator[str]:
    """One row a process."""
    yield f"{figures['minutes']:g} minutes at {RATE:.0f} complaints a second by Kafka, {figures['sent']:,} in all; resident megabytes every"
    yield f"{SAMPLE_SECONDS:.0f} s, medians of the minute that ends after a third of the run and of the last one.\n"
    rows = [
        (part, f"{size['early']:,.0f}", f"{size['late']:,.0f}", f"{size['rise_percent']:+.1f} %", f"{size['most']:,.0f}")
        for part, size in figures["megabytes"].items()
        if part != "senders"
    ]
    yield from table(("process", "after a third, MB", "at the end, MB", "rise", "most, MB"), rows)


BENCH = Bench("Memory", measure, section)
