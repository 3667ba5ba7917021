"""Measures what tracing costs: CPU a complaint of the services without it, with one trace in a hundred, and with all of them.

Run with `python -m tests.bench.chain.tracing [--complaints N]`; figures go to var/bench/tracing.json, for docs/reference/tracing.md.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from typing import Any

import orjson

from cli.service_names import SERVICES
from cli.stack.stack import Stack
from deploy.embedded import EmbeddedServers
from shared.runtime.kafka.producer import Producer
from tests.bench.chain.pipeline import TIMEOUT_SECONDS
from tests.bench.measuring.processes import measure_usage
from tests.bench.measuring.results import write_figures
from tests.bench.measuring.stacks import HELD_TABLES, ORGANISATIONS, started_stack
from tests.bench.measuring.submissions import send_submissions
from tests.support.messaging.idle import wait_until_idle
from tests.support.messaging.workload import workload_client
from tests.support.servers.otlp_receiver import OtlpReceiver

PROCEDURE = "one-notice"
COMPLAINTS = 3000
WARM_UP = 1500
RATIOS: dict[str, float | None] = {"off": None, "1 %": 0.01, "100 %": 1.0, "off again": None}
"""Off twice: the difference of the two is what the machine's other work changes."""


async def measure(stack: Stack, servers: EmbeddedServers, complaints: int) -> dict[str, float]:
    """CPU in microseconds a complaint by service, from the first submission to the last message settled."""
    database = stack.environment["DATABASE_URL"]

    async def idle() -> None:
        await wait_until_idle(database, servers.bootstrap_servers, "", TIMEOUT_SECONDS, ignored_tables=HELD_TABLES[PROCEDURE])

    async with workload_client(stack, organisation=ORGANISATIONS[PROCEDURE]) as senders:
        producer = Producer({"bootstrap_servers": servers.bootstrap_servers}, timeout=30.0)
        await send_submissions(senders, producer, range(WARM_UP))
        await idle()
        before, began = measure_usage(stack, servers), time.monotonic()
        await send_submissions(senders, producer, range(WARM_UP, WARM_UP + complaints))
        await idle()
        after = measure_usage(stack, servers)
        await producer.close()
    figures = {name: round((after.cpu_seconds[name] - before.cpu_seconds[name]) / complaints * 1e6, 1) for name in SERVICES}
    return {**figures, "services": round(sum(figures.values()), 1), "seconds": round(time.monotonic() - began, 1)}


def run(complaints: int) -> dict[str, Any]:
    """All settings in one run, each on new servers."""
    figures: dict[str, Any] = {"complaints": complaints}
    for name, ratio in RATIOS.items():
        with OtlpReceiver() as receiver:
            further = {} if ratio is None else {"JIESU_TRACE_ENDPOINT": receiver.endpoint, "JIESU_TRACE_RATIO": str(ratio)}
            with started_stack(PROCEDURE, lambda line: print(line, file=sys.stderr), further) as (stack, servers):  # noqa: T201
                figures[name] = asyncio.run(measure(stack, servers, complaints))
            figures[name]["spans_a_complaint"] = round(len(receiver.spans) / (WARM_UP + complaints), 3)
            print(name, figures[name], file=sys.stderr)  # noqa: T201 - progress
    write_figures("tracing", figures)
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--complaints", type=int, default=COMPLAINTS)
    sys.stdout.write(orjson.dumps(run(parser.parse_args().complaints), option=orjson.OPT_INDENT_2).decode() + "\n")


if __name__ == "__main__":
    main()
