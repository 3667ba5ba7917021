"""Which figures of a lead an event adds to: deadlines met and missed, call-backs, answers, deemed approvals, urgings, escalations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from services.sla.domain.lifecycle.case import Case, ClockRun
from services.sla.domain.lifecycle.defaults.call_backs import rating_outcome
from shared.procedures.model.procedure import Procedure


class Figure(NamedTuple):
    """A figure with the detail by which it is divided, empty where it is not."""

    name: str
    detail: str = ""


DEADLINES, CLOSED, CALLED_BACK, ANSWERS = "deadlines", "closed", "called_back", "answers"
DEEMED, URGINGS, ESCALATIONS = "deemed", "urgings", "escalations"
DEADLINE_OUTCOMES = ("met", "breached", "deemed", "known_late")


def figures_of(event: Mapping[str, Any], case: Case, procedure: Procedure) -> Iterator[Figure]:
    """The figures to which an event with these published fields adds one; `case` is the state after it."""
    kind = event["type"]
    match kind:
        case "clock_breached" | "clock_stopped":
            outcome = _deadline_outcome(event, case)
            if outcome:
                yield Figure(DEADLINES, outcome)
        case "closed":
            yield Figure(CLOSED)
        case "called_back":
            # Before or after the closing: a case counts once, so that the rate over closed cases stays below one.
            if case.count.get(kind) == 1:
                yield Figure(CALLED_BACK)
            yield Figure(ANSWERS, event.get("outcome", ""))
        case "rated":
            yield Figure(ANSWERS, rating_outcome(event["score"], procedure))
        case "urged":
            yield Figure(URGINGS)
        case "escalated" if not event.get("same_delay"):
            yield Figure(ESCALATIONS)
    if "_deemed_" in kind:
        yield Figure(DEEMED, kind)


def _deadline_outcome(event: Mapping[str, Any], case: Case) -> str:
    """The outcome of a round of a clock with a limit, as the reports count it; empty where nothing is to be counted."""
    run = _run_of(event, case)
    if run is None or not run.dues or event.get("same_delay"):
        return ""
    if event.get("known_at") is not None:
        return "known_late"
    if event["type"] == "clock_breached":
        return "breached"
    if run.breached is not None:
        return ""  # the breach was counted; acting afterwards is the same delay
    if run.deemed:
        return "deemed"
    return "met" if event.get("in_time", True) else "breached"


def _run_of(event: Mapping[str, Any], case: Case) -> ClockRun | None:
    return next((run for run in case.rounds.get(event.get("clock", ""), ()) if run.number == event.get("round")), None)
