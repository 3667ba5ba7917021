"""The whole chain under two procedures: a lean one, and a complete regulation until every message is delivered and recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.bench.chain.pipeline import COMPLAINTS, run_benchmark
from tests.bench.measuring.outcome import Bench, Goal, Options, Outcome
from tests.bench.measuring.results import described, read_figures
from tests.bench.measuring.tables import table

RUNS = {
    "one-notice": "`tests/bench/chain/one_notice.yaml`: one clock, one request to notify and one routing a complaint",
    "hunan-property": "`hunan-property`, a real regulation, under the demo's organisation: four or five messages a complaint",
}
_SERVERS_AND_SERVICES = ("intake", "triage", "sla", "notify", "kafka", "postgres")


def measure(options: Options) -> Outcome:
    """One run a procedure, each on new servers."""
    for name in RUNS:
        run_benchmark(options.complaints or COMPLAINTS, name)
    return outcome({name: read_figures(f"pipeline-{name}") for name in RUNS})


def outcome(runs: Mapping[str, Any]) -> Outcome:
    """The goals of the issue of speed beside the runs; nothing may be lost, doubled or out of order."""
    lean, full = runs["one-notice"], runs["hunan-property"]
    used = full["cpu_micros_a_complaint_until_rest"]
    wrong = sum(run["lost"] + run["duplicated"] + run["disordered"] for run in runs.values())
    goals = [
        Goal("lost, duplicated or out of order, two procedures", wrong, 0, "", at_most=True, required=True),
        Goal("end to end, lean procedure", round(lean["complaints_a_second"]), 1000, "/s"),
        Goal("a whole regulation until delivered, CPU a complaint", round(sum(used.values()) / 1000, 1), 6, "ms", at_most=True),
        Goal(
            "the same, services, Kafka and PostgreSQL alone",
            round(sum(used[part] for part in _SERVERS_AND_SERVICES) / 1000, 1),
            4,
            "ms",
            at_most=True,
        ),
        Goal("the same, sustained", round(full["complaints"] / full["seconds_until_rest"]), 300, "/s"),
    ]
    return Outcome({"runs": dict(runs)}, goals)


def section(figures: Mapping[str, Any]) -> Iterator[str]:
    """Each run with the CPU of every process."""
    yield "Kafka, PostgreSQL, the services, the mail sink and the senders on one machine; `lost` and `duplicated` by reconciliation."
    yield "Runs of one commit differ by half on a shared machine, in step with the CPU that every process then takes: compare within a run."
    yield "The clock stops when the last complaint's events have left sla's outbox. Text messages (`one-notice`) then wait for the end of"
    yield "quiet hours; mails (`hunan-property`) are sent meanwhile to the sink on the same machine, and count in.\n"
    for name, run in figures["runs"].items():
        yield f"### {name}\n"
        yield f"`python -m tests.bench.chain.pipeline --procedure {name} --complaints {run['complaints']}`"
        yield f"({described(run)}). {RUNS[name]}.\n"
        yield from table(("", "figure"), _chain_rows(run))
        yield from table(("process", "CPU µs a complaint", "until all was at rest", "resident MB"), _process_rows(run))


def _chain_rows(run: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        ("complaints a second (goal: 1,000)", f"{run['complaints_a_second']:,.0f}"),
        ("events on `case-events` a complaint, requests to notify included", f"{run['events_a_complaint']:.1f}"),
        ("messages to people a complaint", f"{run['messages_a_complaint']:.1f}"),
        ("seconds until all was at rest", f"{run['seconds_until_rest']:,.0f}"),
        ("lost, duplicated, out of order", f"{run['lost']}, {run['duplicated']}, {run['disordered']}"),
    ]


def _process_rows(run: Mapping[str, Any]) -> list[tuple[str, ...]]:
    parts, rest, memory = run["cpu_micros_a_complaint"], run["cpu_micros_a_complaint_until_rest"], run["resident_megabytes"]
    rows = [(part, f"{parts[part]:,.0f}", f"{rest[part]:,.0f}", f"{memory[part]:,.0f}" if part in memory else "") for part in parts]
    return [*rows, ("together", f"{sum(parts.values()):,.0f}", f"{sum(rest.values()):,.0f}", "")]


BENCH = Bench("From submission to the request to notify", measure, section)
