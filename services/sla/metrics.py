"""The metrics of sla; label values come from procedures and the organisation file, so their number is bounded."""

from collections import Counter as Totals
from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client import Counter, Gauge

CASE_EVENTS_TOTAL = Counter("jiesu_case_events_total", "Events of cases, by type and procedure.", ["event", "procedure"])
ACTIONS_TOTAL = Counter("jiesu_actions_total", "Actions, by action and result (accepted or refused).", ["action", "result"])
CLOCKS_BREACHED_TOTAL = Counter("jiesu_clocks_breached_total", "Deadlines not met, by procedure and clock.", ["procedure", "clock"])
ESCALATIONS_TOTAL = Counter("jiesu_escalations_total", "Escalation steps taken, by procedure and role.", ["procedure", "role"])
DEEMED_TOTAL = Counter(
    "jiesu_deemed_total", "Deemed events, caused by an expired deadline, by procedure and event.", ["procedure", "event"]
)
CASES_OPEN = Gauge("jiesu_cases_open", "Open cases, by class and department.", ["class", "department"])
CASES_DUE_WITHIN = Gauge("jiesu_cases_due_within", "Cases with something due within so many hours of domain time.", ["hours"])
INPUTS_HELD = Gauge("jiesu_inputs_held", "Deferred inputs: they wait for their case or for earlier deadlines.")
ACTIONS_DENIED_TOTAL = Counter("jiesu_actions_denied_total", "Actions rejected for an unknown sender or an invalid signature.", ["channel"])
DUTIES_FAILED_TOTAL = Counter("jiesu_duties_failed_total", "Attempts at the duties of a procedure that failed.", ["procedure"])
DUTIES_TOTAL = Counter("jiesu_duties_total", "Duties of procedures carried out, by procedure and duty.", ["procedure", "duty"])


def clear_case_gauges() -> None:
    """Withdraw what one process of sla counts for all of them."""
    CASES_OPEN.clear()
    CASES_DUE_WITHIN.clear()
    INPUTS_HELD.set(0)


def count_events(events: Iterable[Mapping[str, Any]]) -> None:
    """Count the events of a committed transaction; each is a mapping of its published fields."""
    totals: Totals[tuple[str, str]] = Totals()
    for event in events:
        name, procedure = event["type"], event["procedure"]
        totals[name, procedure] += 1
        match name:
            case "clock_breached":
                CLOCKS_BREACHED_TOTAL.labels(procedure, event.get("clock", "")).inc()
            case "escalated":
                ESCALATIONS_TOTAL.labels(procedure, event.get("role", "")).inc()
            case "action_refused":
                ACTIONS_TOTAL.labels(event.get("action", ""), "refused").inc()
    # Looking up a label's child costs more than counting, so it is done once a type and procedure.
    for (name, procedure), number in totals.items():
        CASE_EVENTS_TOTAL.labels(name, procedure).inc(number)
        if "_deemed_" in name:
            DEEMED_TOTAL.labels(procedure, name).inc(number)
