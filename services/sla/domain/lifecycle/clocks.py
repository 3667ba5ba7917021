"""The clocks of a case: which rounds an event starts, stops, pauses or cancels, and when each is due."""

from __future__ import annotations

from typing import Any

from services.sla.domain.lifecycle import clock_deadlines, notifications
from services.sla.domain.lifecycle.case import ClockRun, Event
from services.sla.domain.lifecycle.decision_builder import END_EVENTS, DecisionBuilder
from services.sla.domain.rules.plans import CANCELS, PAUSES, RESTARTS, RESUMES, STARTS, STOPS, ClockPlan

REASON_GUARD, REASON_ENDED, REASON_RESTARTED = "guard", "ended", "restarted"


def apply_stops_and_cancels(builder: DecisionBuilder, event: Event) -> None:
    """Let every clock see whether an event stops or cancels it; what is due at that very instant comes next."""
    for plan in builder.rulebook.plans_by_event.get(event.type, ()):
        _apply_stop_or_cancel(builder, plan, event)


def runs_to_interrupt(builder: DecisionBuilder, event: Event) -> list[tuple[ClockPlan, ClockRun]]:
    """The running clocks that an event is about to pause or to begin anew."""
    found = []
    for plan in builder.rulebook.plans_by_event.get(event.type, ()):
        current = builder.case.current_run(plan.clock.id)
        if (
            current is not None
            and current.is_active
            and (_matching_indexes(builder, plan, PAUSES, event) or _matching_indexes(builder, plan, RESTARTS, event))
        ):
            found.append((plan, current))
    return found


def apply_pauses_and_starts(builder: DecisionBuilder, event: Event) -> None:
    """Let every clock see what else an event does: pauses, resumes, starts; then plan again what it changed."""
    kind = event.type
    plans = builder.rulebook.plans_by_event.get(kind, ())
    for plan in plans:
        _apply_pause_or_resume(builder, plan, event)
    if kind == "extension_granted":
        _apply_extension(builder, event)
    for plan in plans:
        _apply_start(builder, plan, event)
    if kind in END_EVENTS:
        _cancel_all(builder, event)
    elif kind in builder.rulebook.replanning_events or event.data.get("next_date") is not None:
        replan_clocks(builder, event.at, kind)


def clock_owner(builder: DecisionBuilder, plan: ClockPlan) -> str:
    """The role that has to act before a clock is due."""
    named = plan.clock.owner
    if named == "owner":
        return notifications.case_owner(builder)
    if isinstance(named, str | list):
        return notifications.first_held_role(builder, named)
    return str(builder.case.last.get(named.who, {}).get("role", "")) or notifications.case_owner(builder)


def clock_event_fields(builder: DecisionBuilder, plan: ClockPlan, run: ClockRun) -> dict[str, Any]:
    """The fields that every event of a round carries."""
    data = {
        **builder.rule_fields(plan.clock.id, plan.clauses),
        "clock": plan.clock.id,
        "round": run.number,
        "role": clock_owner(builder, plan),
    }
    if run.due_at is not None:
        data["due_at"] = run.due_at
    if run.provisional:
        data["provisional"] = True
    return data


def start_run(builder: DecisionBuilder, plan: ClockPlan, at: int, event_type: str, *, counted_from: int | None = None) -> None:
    """Begin a round; it lies dormant while the clock's guard does not hold. `instant` is where counting begins, if not at `at`."""
    earlier = [each for each in builder.case.rounds.get(plan.clock.id, ()) if each.state != "dormant"]
    current = ClockRun(plan.clock.id, len(earlier) + 1, at if counted_from is None else counted_from, event_type)
    builder.case.rounds[plan.clock.id] = [*earlier, current]
    if builder.holds(plan.when):
        clock_deadlines.compute_deadlines(builder, plan, current)
        _add_clock_started(builder, plan, current, at)
    else:
        current.state = "dormant"


def start_by_effect(builder: DecisionBuilder, clock_id: str, at: int) -> None:
    """Start a clock because an entry says so: a new round, whatever the selectors say."""
    plan = builder.rulebook.clock_plans[clock_id]
    current = builder.case.current_run(clock_id)
    if current is not None and current.is_active:
        cancel_run(builder, plan, current, at, REASON_RESTARTED)
    start_run(builder, plan, at, "start")


def cancel_by_effect(builder: DecisionBuilder, clock_id: str, at: int, reason: str) -> None:
    """Cancel a clock because an entry says so; nothing where it does not run."""
    current = builder.case.current_run(clock_id)
    if current is not None and current.is_active:
        cancel_run(builder, builder.rulebook.clock_plans[clock_id], current, at, reason)


def stop_run(builder: DecisionBuilder, plan: ClockPlan, run: ClockRun, at: int) -> None:
    """A round is met."""
    in_time = run.due_at is None or at <= run.due_at
    data = clock_event_fields(builder, plan, run)
    run.state, run.ended = "stopped", at
    builder.add_event("clock_stopped", at, {**data, "in_time": in_time})


def cancel_run(builder: DecisionBuilder, plan: ClockPlan, run: ClockRun, at: int, reason: str) -> None:
    """A round ends without being met."""
    data = clock_event_fields(builder, plan, run)
    run.state, run.ended = "cancelled", at
    builder.add_event("clock_cancelled", at, {**data, "reason": reason})


def replan_clocks(builder: DecisionBuilder, at: int, reason: str) -> None:
    """Guards and due instants once more, after what they rest on has changed; every deadline that moves is an event."""
    for plan in builder.rulebook.replannable_plans:
        current = builder.case.current_run(plan.clock.id)
        if current is None or current.state in ("stopped", "cancelled"):
            continue
        holds = builder.holds(plan.when)
        if current.state == "dormant":
            if holds:
                current.state = "paused" if current.pauses and current.pauses[-1][1] is None else "running"
                clock_deadlines.compute_deadlines(builder, plan, current)
                _add_clock_started(builder, plan, current, at)
        elif holds:
            _move_deadlines(builder, plan, current, at, reason)
        else:
            cancel_run(builder, plan, current, at, REASON_GUARD)
            current.state, current.ended = "dormant", None


def recalculate_deadlines(builder: DecisionBuilder, at: int, reason: str) -> None:
    """All due instants once more, after the calendar or the department's hours have changed."""
    for plan in builder.rulebook.clock_plans.values():
        current = builder.case.current_run(plan.clock.id)
        if current is not None and current.is_active:
            _move_deadlines(builder, plan, current, at, reason)


def _add_clock_started(draft: DecisionBuilder, plan: ClockPlan, current: ClockRun, at: int) -> None:
    draft.add_event("clock_started", at, {**clock_event_fields(draft, plan, current), "started_at": current.start})


def _move_deadlines(draft: DecisionBuilder, plan: ClockPlan, current: ClockRun, at: int, reason: str) -> None:
    before, repeat, guessed = list(current.dues), current.next_occurrence, current.provisional
    clock_deadlines.compute_deadlines(draft, plan, current)
    current.reminded = [place for place in current.reminded if (current.reminders[place] or 0) <= at]
    moved = [(old, new) for old, new in zip(before, current.dues, strict=True) if old != new]
    if plan.every is not None and repeat != current.next_occurrence:
        moved.append((repeat, current.next_occurrence))
    if guessed and not current.provisional and not moved:  # the schedule has come out and confirms the guess: it is definitive now
        moved.append((current.due_at, current.due_at))
    if moved:
        data = {**clock_event_fields(draft, plan, current), "reason": reason}
        data.pop("due_at", None)
        data.update({name: at for name, at in zip(("from_at", "due_at"), moved[0], strict=True) if at is not None})
        draft.add_event("clock_moved", at, data)


def _matching_indexes(draft: DecisionBuilder, plan: ClockPlan, by: str, event: Event) -> list[int]:
    """The places in a selector of the clock that take the event."""
    matches = plan.matches[by].get(event.type)
    if not matches or (event.type == "measures_submitted" and event.data.get("needs_sign_off")):
        return []
    return [match.position for match in matches if draft.selects(match, event)]


def _apply_stop_or_cancel(draft: DecisionBuilder, plan: ClockPlan, event: Event) -> None:
    current = draft.case.current_run(plan.clock.id)
    if current is None or current.state in ("stopped", "cancelled"):
        return
    places = _matching_indexes(draft, plan, STOPS, event)
    if places:
        current.seen = sorted({*current.seen, *places})
    if places and len(current.seen) >= plan.stops_needed:
        if current.is_active:
            stop_run(draft, plan, current, event.at)
        else:
            current.state = "stopped"
    elif _matching_indexes(draft, plan, CANCELS, event):
        if current.is_active:
            cancel_run(draft, plan, current, event.at, event.type)
        else:
            current.state = "cancelled"


def _apply_pause_or_resume(draft: DecisionBuilder, plan: ClockPlan, event: Event) -> None:
    current = draft.case.current_run(plan.clock.id)
    if current is None or current.state in ("stopped", "cancelled"):
        return
    standing = bool(current.pauses) and current.pauses[-1][1] is None
    if not standing and _matching_indexes(draft, plan, PAUSES, event):
        _record_pause(draft, plan, current, [event.at, None], event.at)
    elif standing and _matching_indexes(draft, plan, RESUMES, event):
        _record_pause(draft, plan, current, [current.pauses.pop()[0], event.at], event.at)


def _record_pause(draft: DecisionBuilder, plan: ClockPlan, current: ClockRun, pause: list[int | None], at: int) -> None:
    current.pauses = [*current.pauses, pause]
    if current.state == "dormant":
        return
    current.state = "paused" if pause[1] is None else "running"
    clock_deadlines.compute_deadlines(draft, plan, current)
    draft.add_event("clock_paused" if pause[1] is None else "clock_resumed", at, clock_event_fields(draft, plan, current))


def _apply_start(draft: DecisionBuilder, plan: ClockPlan, event: Event) -> None:
    current = draft.case.current_run(plan.clock.id)
    anew = bool(_matching_indexes(draft, plan, RESTARTS, event))
    begins = anew or bool(_matching_indexes(draft, plan, STARTS, event))
    if not begins or (current is not None and not anew and event.type != "reopened"):
        return
    if current is not None and current.is_active:
        cancel_run(draft, plan, current, event.at, REASON_RESTARTED)
    instant = draft.case.received_at if event.type == "registered" else None
    start_run(draft, plan, event.at, event.type, counted_from=instant)


def _apply_extension(draft: DecisionBuilder, event: Event) -> None:
    plan = draft.rulebook.clock_plans[event.data["clock"]]
    current = draft.case.current_run(plan.clock.id)
    if current is not None and current.is_active:
        current.extensions = [*current.extensions, {"by": event.data.get("extend_by", ""), "until": event.data.get("until")}]
        _move_deadlines(draft, plan, current, event.at, event.type)


def _cancel_all(draft: DecisionBuilder, event: Event) -> None:
    for plan in draft.rulebook.clock_plans.values():
        current = draft.case.current_run(plan.clock.id)
        if current is None or current.state in ("stopped", "cancelled") or current.event == event.type:
            continue
        if current.is_active:
            cancel_run(draft, plan, current, event.at, event.type)
        else:
            current.state = "cancelled"
