"""Every metric that sla owns; label values come from procedures and the organisation file, so their number is bounded."""

from collections import Counter as Totals
from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client import Counter, Gauge

CASE_EVENTS_TOTAL = Counter("jiesu_case_events_total", "Events of cases, by type and procedure.", ["event", "procedure"])
ACTIONS_TOTAL = Counter("jiesu_actions_total", "Actions, by action and result (accepted or refused).", ["action", "result"])
CLOCKS_BREACHED_TOTAL = Counter(
    "jiesu_clocks_breached_total", "Deadlines that passed unmet, by procedure and clock.", ["procedure", "clock"]
)
ESCALATIONS_TOTAL = Counter("jiesu_escalations_total", "Matters put before a rung, by procedure and role.", ["procedure", "role"])
DEEMED_TOTAL = Counter("jiesu_deemed_total", "Events that happened because time ran out, by procedure and event.", ["procedure", "event"])
CASES_OPEN = Gauge("jiesu_cases_open", "Open cases, by class and department.", ["class", "department"])
CASES_DUE_WITHIN = Gauge("jiesu_cases_due_within", "Cases with something due within so many hours of domain time.", ["hours"])
INPUTS_HELD = Gauge("jiesu_inputs_held", "Inputs that wait for their case or for what was due before them.")
ACTIONS_DENIED_TOTAL = Counter("jiesu_actions_denied_total", "Actions whose sender was not believed, by channel.", ["channel"])
DUTIES_TOTAL = Counter("jiesu_duties_total", "Duties of procedures carried out, by procedure and duty.", ["procedure", "duty"])


def count_events(events: Iterable[Mapping[str, Any]]) -> None:
    """Count what a committed transaction said."""
    said: Totals[tuple[str, str]] = Totals()
    for event in events:
        kind, procedure = event["type"], event["procedure"]
        said[kind, procedure] += 1
        match kind:
            case "clock_breached":
                CLOCKS_BREACHED_TOTAL.labels(procedure, event.get("clock", "")).inc()
            case "escalated":
                ESCALATIONS_TOTAL.labels(procedure, event.get("role", "")).inc()
            case "action_refused":
                ACTIONS_TOTAL.labels(event.get("action", ""), "refused").inc()
    for (kind, procedure), times in said.items():
        CASE_EVENTS_TOTAL.labels(kind, procedure).inc(times)
        if "_deemed_" in kind:
            DEEMED_TOTAL.labels(procedure, kind).inc(times)
