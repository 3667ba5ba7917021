"""Keeps the outcomes of the call-backs and ratings of a case since its latest handling."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from services.sla.domain.deadlines.worktime import Worktime
from shared.contracts.events.base import CallBackOutcome
from shared.procedures.model.procedure import Procedure

if TYPE_CHECKING:
    # The case holds what this module keeps.
    from services.sla.domain.lifecycle.case import Case, Event

CALL_BACK_EVENTS = frozenset({"handled", "called_back", "rated"})
UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class CallBacks:
    """The outcome of the latest call-back or rating, and what became of the call-backs since the latest handling.

    `after_handling`: one reached the complainant; `unreached_days`: the working days on which no one was reached.
    """

    outcome: str = ""
    after_handling: bool = False
    unreached_days: list[str] = field(default_factory=list)


def rating_outcome(score: int, procedure: Procedure) -> CallBackOutcome:
    """The result of a call-back for a rating of 0 to 100: `satisfied` or `dissatisfied`."""
    return "satisfied" if score >= procedure.satisfied_from else "dissatisfied"


def record_call_back(case: Case, procedure: Procedure, worktime: Worktime, event: Event) -> None:
    """Keep the outcome of a call-back and the working days on which no one was reached; a handling resets both."""
    before, data = case.call_backs, event.data
    if event.type == "handled":
        # The outcome stays: who was dissatisfied has to be asked again, however often the matter is handled (quality-claims 8).
        case.call_backs = CallBacks(before.outcome)
        return
    if event.type == "rated":
        # A rating is no call-back where the regulation asks for one, but who rates badly is not content.
        case.call_backs = replace(before, outcome=rating_outcome(data["score"], procedure))
        return
    outcome = data.get("outcome", "")
    if outcome != UNREACHABLE:
        case.call_backs = CallBacks(outcome, after_handling=True)
        return
    day = worktime.day_of(event.at)
    days = list(before.unreached_days)
    # Three tries on one afternoon are one try: the complainant may be at work (regulations.md, *Nothing ends by itself*).
    if worktime.is_working_day(day) and (date := worktime.date_of(day).isoformat()) not in days:
        days.append(date)
    # A try reached nobody, so an earlier answer stands: a dissatisfied complainant does not become content by not answering.
    case.call_backs = CallBacks(before.outcome, before.after_handling, days)
