"""A duplicate follows its lead: what becomes of its clocks, and what the lead takes over and gives back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.sla.domain.deadlines.counting import add_duration
from services.sla.domain.deadlines.worktime import to_micros
from services.sla.domain.lifecycle import clocks
from services.sla.domain.lifecycle.case import ClockRun, Event
from services.sla.domain.lifecycle.decision_builder import DecisionBuilder
from services.sla.domain.lifecycle.defaults.action_refusal import ActionRefusal
from services.sla.domain.lifecycle.links.records import Duplicate
from services.sla.domain.rules.plans import ClockPlan
from shared.procedures.model.duration import Duration

RULE = "duplicate_follows"
REASON = "duplicate"
"""The reason of the pauses and endings of a duplicate."""
_ACTIONS_ON_DUPLICATES = frozenset({"amend", "urge", "supplement", "rate", "withdraw", "link", "unlink"})
FOLLOWED_EVENTS = frozenset({"linked", "unlinked", "withdrawn", "duplicate_joined", "duplicate_left"})
"""The events that change who follows whom."""


def follows_lead(builder: DecisionBuilder, action: str, event_type: str) -> ActionRefusal | None:
    """The refusal of an act of handling on a duplicate; it names the lead."""
    lead = builder.case.lead
    if not lead or action in _ACTIONS_ON_DUPLICATES or event_type == "urged":
        return None
    return ActionRefusal(f"case: it is a duplicate of {lead}; {action} there, or unlink it first", rule=RULE)


def follow_link_event(builder: DecisionBuilder, event: Event) -> None:
    """Still or release the case's clocks, or take over and give back those of a duplicate, after an event that links or unlinks."""
    case, data = builder.case, event.data
    match event.type:
        case "linked" if data.get("as") == "duplicate":
            if not case.lead:
                # Before the pauses, which leave a run without a due instant.
                case.handed_over = running_clocks(builder, event.at)
            case.lead, case.urgings = data["to_case"], 0
            case.links = [link for link in case.links if link.kind != "duplicate" or link.case == case.lead]
            case.duplicates = []
            still_clocks(builder, event.at)
        case "unlinked" if case.lead and not any(link.kind == "duplicate" for link in case.links):
            case.lead = ""
            if not case.open:
                # It had ended with its lead only, so it goes on by itself now.
                builder.add_event("reopened", event.at, {"rule": RULE, "role": "system", "reason": REASON})
            release_clocks(builder, event.at)
        case "withdrawn":
            case.lead = ""
        case "duplicate_joined" if case.open and not case.lead:
            _take_over(builder, event)
        case "duplicate_left":
            _give_back(builder, event)


def still_clocks(builder: DecisionBuilder, at: int) -> None:
    """Pause the clocks that can pause; the others are held, since nothing of a duplicate is due."""
    for plan, run in _active_runs(builder):
        if run.state == "running" and _can_pause(plan):
            run.stilled = True
            clocks.record_pause(builder, plan, run, [at, None], at, REASON)


def release_clocks(builder: DecisionBuilder, at: int) -> None:
    """Let paused clocks continue with the time left; held ones are due at their instant, at the earliest at the end of the day."""
    for plan, run in _active_runs(builder):
        if run.stilled:
            run.stilled = False
            begin = run.pauses.pop()[0]
            clocks.record_pause(builder, plan, run, [begin, at], at, REASON)
        else:
            unit = "same_working_day" if any(str(step.duration) == "same_working_day" for step in plan.deadline_steps) else "same_day"
            run.earliest_due = add_duration(builder.worktime, at, Duration.parse(unit))[0]
            clocks.move_deadlines(builder, plan, run, at, "unlinked")


def running_clocks(builder: DecisionBuilder, at: int) -> dict[str, Any]:
    """The clocks that a lead takes over: start and the due instants that have not passed, as text."""
    taken: dict[str, Any] = {}
    for plan, run in _active_runs(builder):
        dues = [None if due is None or due < at or index in run.done else _text(builder, due) for index, due in enumerate(run.dues)]
        taken[plan.clock.id] = {"started_at": _text(builder, run.start), "due": dues}
    return taken


def _take_over(builder: DecisionBuilder, event: Event) -> None:
    case, data = builder.case, event.data
    taken = {clock: [_not_passed(due, event.at) for due in entry["due"]] for clock, entry in data.get("clocks", {}).items()}
    new = [clock for clock in taken if clock in builder.rulebook.clock_plans and case.current_run(clock) is None]
    duplicate = Duplicate(data["duplicate"], data.get("received_at") or event.at, data.get("complainant_keys", []), taken, new)
    case.duplicates = [*(each for each in case.duplicates if each.case != duplicate.case), duplicate]
    for clock in new:
        started_at = _micros(data["clocks"][clock]["started_at"])
        clocks.start_run(builder, builder.rulebook.clock_plans[clock], event.at, event.type, counted_from=started_at)
    for plan, run in _active_runs(builder):
        if plan.clock.id in taken and plan.clock.id not in new:
            clocks.move_deadlines(builder, plan, run, event.at, REASON)


def _give_back(builder: DecisionBuilder, event: Event) -> None:
    case = builder.case
    left = next((each for each in case.duplicates if each.case == event.data["duplicate"]), None)
    if left is None:
        return
    case.duplicates = [each for each in case.duplicates if each is not left]
    for plan, run in _active_runs(builder):
        if plan.clock.id in left.started:
            clocks.cancel_run(builder, plan, run, event.at, "unlinked")
        elif plan.clock.id in left.dues:
            clocks.move_deadlines(builder, plan, run, event.at, "unlinked")


def _active_runs(builder: DecisionBuilder) -> list[tuple[ClockPlan, ClockRun]]:
    runs = [(plan, builder.case.current_run(plan.clock.id)) for plan in builder.rulebook.clock_plans.values()]
    return [(plan, run) for plan, run in runs if run is not None and run.is_active]


def _can_pause(plan: ClockPlan) -> bool:
    return all(step.duration is None or step.duration.pausable for step in plan.deadline_steps)


def _text(builder: DecisionBuilder, at: int) -> str:
    return builder.worktime.to_datetime(at).isoformat()


def _not_passed(text: str | None, at: int) -> int | None:
    due = None if text is None else _micros(text)
    return None if due is None or due < at else due


def _micros(text: str) -> int:
    return to_micros(datetime.fromisoformat(text))
