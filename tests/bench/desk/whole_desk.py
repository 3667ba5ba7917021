"""All benches of the desk: lists and searches, a rebuild, the page of a case, open pages, and management."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from tests.bench.desk import page
from tests.bench.measuring.outcome import Bench, Goal, Options, Outcome
from tests.bench.measuring.results import read_figures
from tests.bench.measuring.tables import table

_MODULES = {"desk": "lists", "desk_case": "case_page", "desk_live": "open_pages", "management": "management"}
_ENDED_CASES = 10
"""For each open one, where the command line names a number of open cases."""


def measure(options: Options) -> Outcome:
    """Each bench in a process of its own, on servers of its own; `complaints` is the number of open cases."""
    size = ["--open", str(options.complaints), "--ended", str(_ENDED_CASES * options.complaints)] if options.complaints else []
    for module in _MODULES.values():
        subprocess.run([sys.executable, "-P", "-m", f"tests.bench.desk.{module}", *size], check=True)
    page.main()
    return outcome({name: read_figures(name) for name in _MODULES})


def outcome(measured: Mapping[str, Any]) -> Outcome:
    """The goals of the desk beside what was measured."""
    lists, searches, live = measured["desk"]["lists"], measured["desk"]["searches"], measured["desk_live"]
    figures = {
        "open": measured["desk"]["open"],
        "ended": measured["desk"]["ended"],
        "list_p95_ms": lists["slowest_query_p95_ms"],
        "search_p95_ms": searches["slowest_query_p95_ms"],
        "rebuilt_events_a_second": measured["desk"]["rebuilt_events_a_second"],
        "case_p95_ms": measured["desk_case"]["now"]["p95_ms"],
        "event_to_page_p95_ms": live["event_to_page"]["p95_ms"],
        "people": live["signed_in"]["people"],
        "event_to_open_pages_p95_ms": live["signed_in"]["event_to_page"]["p95_ms"],
        "desk_megabytes": live["signed_in"]["desk_megabytes_at_most"],
        "management_p95_ms": max(each["p95_ms"] for each in measured["management"]["pages"].values()),
    }
    goals = [
        Goal("desk: first page of the slowest list, p95", round(figures["list_p95_ms"]), 150, "ms", at_most=True),
        Goal("desk: slowest search, p95", round(figures["search_p95_ms"]), 300, "ms", at_most=True),
        Goal("desk: rebuild, events a second", round(figures["rebuilt_events_a_second"]), 5000, "/s"),
        Goal("desk: a case with 300 events, p95", round(figures["case_p95_ms"]), 200, "ms", at_most=True),
        Goal("desk: event to an open page, p95", round(figures["event_to_page_p95_ms"]), 1000, "ms", at_most=True),
        Goal(f"the same with {figures['people']} open pages", round(figures["event_to_open_pages_p95_ms"]), 1000, "ms", at_most=True),
        Goal("desk: memory with them", round(figures["desk_megabytes"]), 300, "MB", at_most=True),
        Goal("desk: slowest page of management, p95", round(figures["management_p95_ms"]), 500, "ms", at_most=True),
    ]
    return Outcome(figures, goals)


def section(figures: Mapping[str, Any]) -> Iterator[str]:
    """The figures of the goals; all others are on the desk's own page."""
    yield f"{figures['open']:,} open and {figures['ended']:,} ended cases; every figure is on [a page of its own](desk-performance.md).\n"
    rows = [
        ("first page of the slowest list, p95", f"{figures['list_p95_ms']:.0f} ms"),
        ("slowest search, p95", f"{figures['search_p95_ms']:.0f} ms"),
        ("rebuild, events a second", f"{figures['rebuilt_events_a_second']:,.0f}"),
        ("a case with 300 events, p95", f"{figures['case_p95_ms']:.0f} ms"),
        ("event to an open page, p95", f"{figures['event_to_page_p95_ms']:.0f} ms"),
        (f"the same with {figures['people']} open pages", f"{figures['event_to_open_pages_p95_ms']:.0f} ms"),
        ("memory of the desk with them", f"{figures['desk_megabytes']:.0f} MB"),
        ("slowest page of management, p95", f"{figures['management_p95_ms']:.0f} ms"),
    ]
    yield from table(("", "reached"), rows)


BENCH = Bench("The desk", measure, section)
