"""The clocks of a case: which runs an event starts, stops, pauses, resumes, cancels or moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.sla.domain.lifecycle import escalation, notifications
from services.sla.domain.lifecycle.case import ClockRun, Event
from services.sla.domain.lifecycle.clock_deadlines import compute_deadlines, granted_extension, recompute_deadlines, skip_outrun_reminders
from services.sla.domain.lifecycle.decision_builder import END_EVENTS, DecisionBuilder
from services.sla.domain.lifecycle.defaults import receipts
from services.sla.domain.rules.plans import CANCELS, EXPECTS, PAUSES, RESTARTS, RESUMES, STARTS, STOPS, ClockPlan

REASON_GUARD, REASON_RESTARTED = "guard", "restarted"
"""Why a run is cancelled, where it is not the type of an event or the id of an entry."""


def apply_stops_and_cancels(builder: DecisionBuilder, plans: Sequence[ClockPlan], event: Event) -> None:
    """Stop or cancel the runs of these clocks whose selectors take the event."""
    for plan in plans:
        _apply_stop_or_cancel(builder, plan, event)


def interrupts(builder: DecisionBuilder, plan: ClockPlan, event: Event) -> bool:
    """Whether the event is about to pause or restart the clock."""
    return bool(_matching_indexes(builder, plan, PAUSES, event) or _matching_indexes(builder, plan, RESTARTS, event))


def apply_pauses_and_starts(builder: DecisionBuilder, plans: Sequence[ClockPlan], event: Event) -> None:
    """Pause, resume, extend and start runs of these clocks; then cancel or plan again all those that the event affects indirectly."""
    event_type = event.type
    for plan in plans:
        _apply_pause_or_resume(builder, plan, event)
    if event_type == "extension_granted":
        _apply_extension(builder, event)
    if event_type in receipts.CHANGES_OF_UNIT:
        _end_rounds_of_former_unit(builder, event)
    for plan in plans:
        _apply_start(builder, plan, event)
    if event_type in END_EVENTS and not builder.case.lead:
        _cancel_all(builder, event)
    # A next date in an answer is an agreed date, which replaces limits with `or_agreed`.
    elif event_type in builder.rulebook.replanning_events or event.data.get("next_date") is not None:
        replan_clocks(builder, event.at, event_type)


def clock_event_fields(builder: DecisionBuilder, plan: ClockPlan, run: ClockRun) -> dict[str, Any]:
    """The fields that every event of a run has."""
    data = {
        **builder.rule_fields(plan.clock.id, plan.clauses),
        "clock": plan.clock.id,
        "round": run.number,
        "role": notifications.clock_owner(builder, plan),
    }
    if run.due_at is not None:
        data["due_at"] = run.due_at
    data.update(known_late_fields(run, run.due_at))
    if run.provisional:
        data["provisional"] = True
    return data


def known_late_fields(run: ClockRun, due_at: int | None) -> dict[str, int]:
    """The event field that states when a fact became known that had made this instant due before; empty where it was known in time."""
    return {"known_at": run.known_at} if run.known_at is not None and due_at is not None and due_at < run.known_at else {}


def start_run(builder: DecisionBuilder, plan: ClockPlan, at: int, event_type: str, *, counted_from: int | None = None) -> None:
    """Begin a run at an instant, counted from that or an earlier one; it is dormant while the clock's guard does not hold (ADR 11)."""
    # Only runs that have started are numbered, so a dormant one gives way.
    earlier = [run for run in builder.case.rounds.get(plan.clock.id, ()) if run.state != "dormant"]
    run = ClockRun(plan.clock.id, len(earlier) + 1, at if counted_from is None else counted_from, event_type, unit=builder.case.department)
    builder.case.rounds[plan.clock.id] = [*earlier, run]
    _begin_run(builder, plan, run, at)


def _begin_run(builder: DecisionBuilder, plan: ClockPlan, run: ClockRun, at: int) -> None:
    if builder.holds(plan.when):
        _activate(builder, plan, run, at)
    else:
        run.state = "dormant"


def start_by_effect(builder: DecisionBuilder, clock_id: str, at: int) -> None:
    """Begin a new run of a clock, regardless of its selectors."""
    plan = builder.rulebook.clock_plans[clock_id]
    run = builder.case.current_run(clock_id)
    if run is not None and run.is_active:
        cancel_run(builder, plan, run, at, REASON_RESTARTED)
    start_run(builder, plan, at, "start")


def cancel_by_effect(builder: DecisionBuilder, clock_id: str, at: int, reason: str) -> None:
    """Cancel the active run of a clock, if there is one."""
    run = builder.case.current_run(clock_id)
    if run is not None and run.is_active:
        cancel_run(builder, builder.rulebook.clock_plans[clock_id], run, at, reason)


def stop_run(builder: DecisionBuilder, plan: ClockPlan, run: ClockRun, at: int) -> None:
    """Stop a run: its deadline is met, in time or late."""
    in_time = run.due_at is None or at <= run.due_at
    data = clock_event_fields(builder, plan, run)
    run.state, run.ended = "stopped", at
    escalation.end_climbs(builder.case, run.clock)
    builder.add_event("clock_stopped", at, {**data, "in_time": in_time})


def cancel_run(builder: DecisionBuilder, plan: ClockPlan, run: ClockRun, at: int, reason: str) -> None:
    """Cancel a run: its deadline no longer applies."""
    data = clock_event_fields(builder, plan, run)
    run.state, run.ended = "cancelled", at
    escalation.end_climbs(builder.case, run.clock)
    builder.add_event("clock_cancelled", at, {**data, "reason": reason})


def replan_clocks(builder: DecisionBuilder, at: int, reason: str) -> None:
    """Evaluate guards and due instants again after a change of facts, class or department; each deadline that moves is an event."""
    for plan in builder.rulebook.replannable_plans:
        run = builder.case.current_run(plan.clock.id)
        if run is None or run.is_ended:
            continue
        # A guard that cannot be evaluated changes nothing: an amendment must not silence a deadline by a value that overflows.
        guard_holds = builder.holds(plan.when, otherwise=run.is_active)
        if run.state == "dormant":
            if guard_holds:
                run.state = "paused" if _is_within_pause(run) else "running"
                _activate(builder, plan, run, at)
        elif guard_holds:
            move_deadlines(builder, plan, run, at, reason)
        else:
            cancel_run(builder, plan, run, at, REASON_GUARD)
            # Not ended: the guard may become true again (ADR 11).
            run.state, run.ended = "dormant", None


def recalculate_deadlines(builder: DecisionBuilder, at: int, reason: str) -> None:
    """Count the deadlines of all active runs again, after a calendar has changed; each that moves is an event."""
    for plan in builder.rulebook.clock_plans.values():
        run = builder.case.current_run(plan.clock.id)
        if run is not None and run.is_active:
            move_deadlines(builder, plan, run, at, reason)


def _activate(builder: DecisionBuilder, plan: ClockPlan, run: ClockRun, at: int) -> None:
    compute_deadlines(builder, plan, run)
    _note_late_knowledge(builder, run, at)
    skip_outrun_reminders(plan, run, at)
    builder.add_event("clock_started", at, {**clock_event_fields(builder, plan, run), "started_at": run.start})


def _note_late_knowledge(builder: DecisionBuilder, run: ClockRun, at: int) -> None:
    """Note that a due instant had passed before the fact that it follows from was known: no one missed what no one knew (time.md)."""
    # What a registration itself says was known: the letter lay on the desk since its receipt.
    pending = [due for index, due in enumerate(run.dues) if index not in run.done]
    if at > builder.case.registered_at and any(due is not None and due < at for due in (*pending, run.next_occurrence)):
        run.known_at = at


def move_deadlines(builder: DecisionBuilder, plan: ClockPlan, run: ClockRun, at: int, reason: str) -> None:
    """Count the deadlines of a run again; one that moves is an event."""
    dues_before, occurrence_before, was_provisional = list(run.dues), run.next_occurrence, run.provisional
    recompute_deadlines(builder, plan, run, reason)
    _note_late_knowledge(builder, run, at)
    if not plan.counts_by_department or reason == "extension_granted":
        # A reminder that has moved beyond this instant is due again; a change of lead sends none twice (time.md, Whose calendar).
        run.reminded = [index for index in run.reminded if (run.reminders[index] or 0) <= at]
    if run.known_at == at:
        skip_outrun_reminders(plan, run, at)
    moves = [(before, after) for before, after in zip(dues_before, run.dues, strict=True) if before != after]
    if plan.every is not None and occurrence_before != run.next_occurrence:
        moves.append((occurrence_before, run.next_occurrence))
    if was_provisional and not run.provisional and not moves:
        # The published schedule confirms the provisional instant; the event makes that known.
        moves.append((run.due_at, run.due_at))
    if moves:
        escalation.postpone_climbs(builder, run)
        data = {**clock_event_fields(builder, plan, run), "reason": reason}
        data.pop("due_at", None)
        data.update({name: instant for name, instant in zip(("from_at", "due_at"), moves[0], strict=True) if instant is not None})
        builder.add_event("clock_moved", at, data)


def _matching_indexes(builder: DecisionBuilder, plan: ClockPlan, selector: str, event: Event) -> list[int]:
    """The indexes of the entries in one of the clock's selectors that take the event."""
    matches = plan.matches[selector].get(event.type)
    # Measures that need a sign-off take effect when they are signed off; the plan has that event among its matches.
    if not matches or (event.type == "measures_submitted" and event.data.get("needs_sign_off")):
        return []
    return [match.position for match in matches if builder.selects(match, event)]


def _apply_stop_or_cancel(builder: DecisionBuilder, plan: ClockPlan, event: Event) -> None:
    run = builder.case.current_run(plan.clock.id)
    if run is None or run.is_ended:
        return
    stop_indexes = _matching_indexes(builder, plan, STOPS, event)
    if stop_indexes or _matching_indexes(builder, plan, EXPECTS, event):
        run.acted = event.at
    if stop_indexes:
        run.seen = sorted({*run.seen, *stop_indexes})
    if stop_indexes and len(run.seen) >= plan.stops_needed:
        if run.is_active:
            stop_run(builder, plan, run, event.at)
        else:
            # Stopped while dormant, without an event: the clock does not start if its guard becomes true later.
            run.state = "stopped"
    elif _matching_indexes(builder, plan, CANCELS, event):
        if run.is_active:
            cancel_run(builder, plan, run, event.at, event.type)
        else:
            run.state = "cancelled"


def _apply_pause_or_resume(builder: DecisionBuilder, plan: ClockPlan, event: Event) -> None:
    run = builder.case.current_run(plan.clock.id)
    if run is None or run.is_ended:
        return
    if _is_within_pause(run):
        if _matching_indexes(builder, plan, RESUMES, event):
            record_pause(builder, plan, run, [run.pauses.pop()[0], event.at], event.at)
    elif _matching_indexes(builder, plan, PAUSES, event):
        record_pause(builder, plan, run, [event.at, None], event.at)


def _is_within_pause(run: ClockRun) -> bool:
    return bool(run.pauses) and run.pauses[-1][1] is None


def record_pause(builder: DecisionBuilder, plan: ClockPlan, run: ClockRun, pause: list[int | None], at: int, reason: str = "") -> None:
    """Add a pause to a run, open if it has no end, and count the run's deadlines again."""
    run.pauses = [*run.pauses, pause]
    if run.state == "dormant":
        return
    run.state = "paused" if pause[1] is None else "running"
    compute_deadlines(builder, plan, run)
    escalation.hold_climbs(builder, run, at)
    data = clock_event_fields(builder, plan, run)
    builder.add_event("clock_paused" if pause[1] is None else "clock_resumed", at, data | ({"reason": reason} if reason else {}))


def _apply_start(builder: DecisionBuilder, plan: ClockPlan, event: Event) -> None:
    run = builder.case.current_run(plan.clock.id)
    restarts = bool(_matching_indexes(builder, plan, RESTARTS, event))
    starts = restarts or bool(_matching_indexes(builder, plan, STARTS, event))
    if plan.own_time and starts:
        earlier = receipts.round_to_resume(builder.case, plan, event)
        if earlier is not None:
            _continue_round(builder, plan, earlier, event)
            return
        restarts = receipts.begins_round(builder.case, plan, event, restarts=restarts)
    if not starts or (run is not None and not restarts and event.type != "reopened"):
        return
    if run is not None and run.is_active:
        cancel_run(builder, plan, run, event.at, REASON_RESTARTED)
    # The clocks of a registration count from the receipt of the complaint, not from its typing in.
    counted_from = builder.case.received_at if event.type == "registered" else None
    start_run(builder, plan, event.at, event.type, counted_from=counted_from)


def _end_rounds_of_former_unit(builder: DecisionBuilder, event: Event) -> None:
    for plan in builder.rulebook.receipt_plans:
        run = builder.case.current_run(plan.clock.id)
        if run is not None and receipts.has_lost_case(builder.case, run):
            cancel_run(builder, plan, run, event.at, event.type)
            run.lost = True


def _continue_round(builder: DecisionBuilder, plan: ClockPlan, earlier: ClockRun, event: Event) -> None:
    """Begin a round that counts on where an earlier one of the same unit ended: the time between counts as a pause."""
    rounds = builder.case.rounds[plan.clock.id]
    pauses = [pause for pause in earlier.pauses if pause[1] is not None]
    away_since = next((pause[0] for pause in earlier.pauses if pause[1] is None), earlier.ended)
    run = ClockRun(plan.clock.id, len(rounds) + 1, earlier.start, event.type, unit=earlier.unit, breached=earlier.breached)
    run.pauses, run.extensions = [*pauses, [away_since, event.at]], earlier.extensions
    # What has fallen due is not counted again.
    run.done, run.reminded = earlier.done, earlier.reminded
    builder.case.rounds[plan.clock.id] = [*rounds, run]
    _begin_run(builder, plan, run, event.at)


def _apply_extension(builder: DecisionBuilder, event: Event) -> None:
    plan = builder.rulebook.clock_plans[event.data["clock"]]
    run = builder.case.current_run(plan.clock.id)
    if run is not None and run.is_active:
        run.extensions = [*run.extensions, granted_extension(run, event)]
        move_deadlines(builder, plan, run, event.at, event.type)


def _cancel_all(builder: DecisionBuilder, event: Event) -> None:
    """Cancel every run that did not start on the event that ends the case."""
    for plan in builder.rulebook.clock_plans.values():
        run = builder.case.current_run(plan.clock.id)
        if run is None or run.is_ended or run.event == event.type:
            continue
        if run.is_active:
            cancel_run(builder, plan, run, event.at, event.type)
        else:
            run.state = "cancelled"
