"""The clocks of a case: which rounds an event starts, stops, pauses or cancels, and when each is due."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from services.sla.domain.deadlines.deadline import Extension, Limit, due_at
from services.sla.domain.deadlines.pauses import Pauses
from services.sla.domain.deadlines.recurrence import next_occurrence
from services.sla.domain.deadlines.reminder import remind_at
from services.sla.domain.lifecycle import notifications
from services.sla.domain.lifecycle.case import Event, Round
from services.sla.domain.lifecycle.decision_builder import ENDS, Draft
from services.sla.domain.rules.rulebook import CANCELS, PAUSES, RESTARTS, RESUMES, STARTS, STOPS, ClockPlan
from shared.procedures.model.duration import Duration

GUARD, ENDED, RESTARTED = "guard", "ended", "restarted"


def meet(draft: Draft, event: Event) -> None:
    """Let every clock see whether an event stops or cancels it; what is due at that very instant comes next."""
    for plan in draft.rulebook.concerned.get(event.type, ()):
        _stop(draft, plan, event)


def interrupted(draft: Draft, event: Event) -> list[tuple[ClockPlan, Round]]:
    """The running clocks that an event is about to pause or to begin anew."""
    found = []
    for plan in draft.rulebook.concerned.get(event.type, ()):
        current = draft.case.current(plan.clock.id)
        if current is not None and current.live and (_matched(draft, plan, PAUSES, event) or _matched(draft, plan, RESTARTS, event)):
            found.append((plan, current))
    return found


def follow(draft: Draft, event: Event) -> None:
    """Let every clock see what else an event does: pauses, resumes, starts; then plan again what it changed."""
    kind = event.type
    plans = draft.rulebook.concerned.get(kind, ())
    for plan in plans:
        _pause(draft, plan, event)
    if kind == "extension_granted":
        _extend(draft, event)
    for plan in plans:
        _start(draft, plan, event)
    if kind in ENDS:
        _end(draft, event)
    elif kind in draft.rulebook.replan_on or event.data.get("next_date") is not None:
        replan(draft, event.at, kind)


def owner(draft: Draft, plan: ClockPlan) -> str:
    """The role that has to act before a clock is due."""
    named = plan.clock.owner
    if named == "owner":
        return notifications.owner(draft)
    if isinstance(named, str | list):
        return notifications.first_held(draft, named)
    return str(draft.case.last.get(named.who, {}).get("role", "")) or notifications.owner(draft)


def about(draft: Draft, plan: ClockPlan, current: Round) -> dict[str, Any]:
    """The fields that every event of a round carries."""
    data = {**draft.because(plan.clock.id, plan.clauses), "clock": plan.clock.id, "round": current.number, "role": owner(draft, plan)}
    if current.due is not None:
        data["due_at"] = current.due
    if current.provisional:
        data["provisional"] = True
    return data


def start(draft: Draft, plan: ClockPlan, at: int, event: str, *, instant: int | None = None) -> None:
    """Begin a round; it lies dormant while the clock's guard does not hold. `instant` is where counting begins, if not at `at`."""
    earlier = [each for each in draft.case.rounds.get(plan.clock.id, ()) if each.state != "dormant"]
    current = Round(plan.clock.id, len(earlier) + 1, at if instant is None else instant, event)
    draft.case.rounds[plan.clock.id] = [*earlier, current]
    if draft.holds(plan.when):
        plan_dues(draft, plan, current)
        _announce(draft, plan, current, at)
    else:
        current.state = "dormant"


def begin(draft: Draft, clock: str, at: int) -> None:
    """Start a clock because an entry says so: a new round, whatever the selectors say."""
    plan = draft.rulebook.plans[clock]
    current = draft.case.current(clock)
    if current is not None and current.live:
        cancel(draft, plan, current, at, RESTARTED)
    start(draft, plan, at, "start")


def abandon(draft: Draft, clock: str, at: int, reason: str) -> None:
    """Cancel a clock because an entry says so; nothing where it does not run."""
    current = draft.case.current(clock)
    if current is not None and current.live:
        cancel(draft, draft.rulebook.plans[clock], current, at, reason)


def stop(draft: Draft, plan: ClockPlan, current: Round, at: int) -> None:
    """A round is met."""
    in_time = current.due is None or at <= current.due
    data = about(draft, plan, current)
    current.state, current.ended = "stopped", at
    draft.add("clock_stopped", at, {**data, "in_time": in_time})


def cancel(draft: Draft, plan: ClockPlan, current: Round, at: int, reason: str) -> None:
    """A round ends without being met."""
    data = about(draft, plan, current)
    current.state, current.ended = "cancelled", at
    draft.add("clock_cancelled", at, {**data, "reason": reason})


def replan(draft: Draft, at: int, reason: str) -> None:
    """Guards and due instants once more, after what they rest on has changed; every deadline that moves is an event."""
    for plan in draft.rulebook.guarded:
        current = draft.case.current(plan.clock.id)
        if current is None or current.state in ("stopped", "cancelled"):
            continue
        holds = draft.holds(plan.when)
        if current.state == "dormant":
            if holds:
                current.state = "paused" if current.pauses and current.pauses[-1][1] is None else "running"
                plan_dues(draft, plan, current)
                _announce(draft, plan, current, at)
        elif holds:
            _move(draft, plan, current, at, reason)
        else:
            cancel(draft, plan, current, at, GUARD)
            current.state, current.ended = "dormant", None


def recalculate(draft: Draft, at: int, reason: str) -> None:
    """All due instants once more, after the calendar or the department's hours have changed."""
    for plan in draft.rulebook.plans.values():
        current = draft.case.current(plan.clock.id)
        if current is not None and current.live:
            _move(draft, plan, current, at, reason)


def plan_dues(draft: Draft, plan: ClockPlan, current: Round) -> None:
    """Count the due instants of a round, its reminders and its next occurrence."""
    found = [_due(draft, plan, current, place) for place in range(len(plan.thresholds))]
    current.dues = [at for at, _ in found]
    current.provisional = any(provisional for _, provisional in found)
    current.next_occurrence = occurrence(draft, plan, current, current.occurred)
    if plan.chases:
        current.reminders = [_reminder(draft, plan, current, place) for place in range(len(plan.chases))]


def limit(draft: Draft, plan: ClockPlan, current: Round, place: int) -> Limit | None:
    """The time limit of a due entry of a round, for counting and for explaining; None where it is not known yet."""
    threshold = plan.thresholds[place]
    if threshold.duration is None:
        return None
    agreed = draft.case.facts.get(threshold.fact) if threshold.fact else _agreed(draft, current) if threshold.entry.or_agreed else None
    if threshold.fact and agreed is None:
        return None
    found = Limit(current.start, threshold.duration, plan.rule, _pauses(current), _extensions(current), agreed, threshold.entry.or_agreed)
    return found if place == 0 or not current.extensions else _further(draft, plan, place, found)


def _further(draft: Draft, plan: ClockPlan, place: int, found: Limit) -> Limit:
    """The limit of a later threshold: an extension until an instant replaces the first one and never brings the others forward."""
    own = replace(found, extensions=[each for each in found.extensions if each.until is None])
    until = found.extended()[1]
    if until is None or not any(draft.holds(earlier.when) for earlier in plan.thresholds[:place]):
        return found
    at = due_at(draft.worktime, own)[0]
    return own if at is None or at > until else found


def occurrence(draft: Draft, plan: ClockPlan, current: Round, after: int | None) -> int | None:
    """The instant of the repeat's next occurrence after an instant; None while paused or where the clock does not repeat."""
    if plan.every is None:
        return None
    found = next_occurrence(draft.worktime, Limit(current.start, plan.every, plan.rule, _pauses(current)), after)
    return None if found is None else found.due


def _due(draft: Draft, plan: ClockPlan, current: Round, place: int) -> tuple[int | None, bool]:
    if not draft.holds(plan.thresholds[place].when):
        return None, False
    found = limit(draft, plan, current, place)
    if found is None:
        return None, False
    at, _, provisional = due_at(draft.worktime, found)
    return at, provisional


def _agreed(draft: Draft, current: Round) -> int | None:
    """The date agreed with the customer, if it lies after the round's start: an older one was meant for an earlier round."""
    agreed = draft.case.agreed
    return agreed if agreed is not None and agreed > current.start else None


def _reminder(draft: Draft, plan: ClockPlan, current: Round, place: int) -> int | None:
    chase = plan.chases[place]
    if current.dues[chase.of] is None or not draft.holds(chase.when):
        return None
    found = limit(draft, plan, current, chase.of)
    return None if found is None else remind_at(draft.worktime, found, chase.reminder)


def _announce(draft: Draft, plan: ClockPlan, current: Round, at: int) -> None:
    draft.add("clock_started", at, {**about(draft, plan, current), "started_at": current.start})


def _move(draft: Draft, plan: ClockPlan, current: Round, at: int, reason: str) -> None:
    before, repeat, guessed = list(current.dues), current.next_occurrence, current.provisional
    plan_dues(draft, plan, current)
    current.reminded = [place for place in current.reminded if (current.reminders[place] or 0) <= at]
    moved = [(old, new) for old, new in zip(before, current.dues, strict=True) if old != new]
    if plan.every is not None and repeat != current.next_occurrence:
        moved.append((repeat, current.next_occurrence))
    if guessed and not current.provisional and not moved:  # the schedule has come out and confirms the guess: it is definitive now
        moved.append((current.due, current.due))
    if moved:
        data = {**about(draft, plan, current), "reason": reason}
        data.pop("due_at", None)
        data.update({name: at for name, at in zip(("from_at", "due_at"), moved[0], strict=True) if at is not None})
        draft.add("clock_moved", at, data)


def _matched(draft: Draft, plan: ClockPlan, by: str, event: Event) -> list[int]:
    """The places in a selector of the clock that take the event."""
    matches = plan.matches[by].get(event.type)
    if not matches or (event.type == "measures_submitted" and event.data.get("needs_sign_off")):
        return []
    return [match.place for match in matches if draft.selects(match, event)]


def _stop(draft: Draft, plan: ClockPlan, event: Event) -> None:
    current = draft.case.current(plan.clock.id)
    if current is None or current.state in ("stopped", "cancelled"):
        return
    places = _matched(draft, plan, STOPS, event)
    if places:
        current.seen = sorted({*current.seen, *places})
    if places and len(current.seen) >= plan.stops_needed:
        if current.live:
            stop(draft, plan, current, event.at)
        else:
            current.state = "stopped"
    elif _matched(draft, plan, CANCELS, event):
        if current.live:
            cancel(draft, plan, current, event.at, event.type)
        else:
            current.state = "cancelled"


def _pause(draft: Draft, plan: ClockPlan, event: Event) -> None:
    current = draft.case.current(plan.clock.id)
    if current is None or current.state in ("stopped", "cancelled"):
        return
    standing = bool(current.pauses) and current.pauses[-1][1] is None
    if not standing and _matched(draft, plan, PAUSES, event):
        _stand(draft, plan, current, [event.at, None], event.at)
    elif standing and _matched(draft, plan, RESUMES, event):
        _stand(draft, plan, current, [current.pauses.pop()[0], event.at], event.at)


def _stand(draft: Draft, plan: ClockPlan, current: Round, pause: list[int | None], at: int) -> None:
    current.pauses = [*current.pauses, pause]
    if current.state == "dormant":
        return
    current.state = "paused" if pause[1] is None else "running"
    plan_dues(draft, plan, current)
    draft.add("clock_paused" if pause[1] is None else "clock_resumed", at, about(draft, plan, current))


def _start(draft: Draft, plan: ClockPlan, event: Event) -> None:
    current = draft.case.current(plan.clock.id)
    anew = bool(_matched(draft, plan, RESTARTS, event))
    begins = anew or bool(_matched(draft, plan, STARTS, event))
    if not begins or (current is not None and not anew and event.type != "reopened"):
        return
    if current is not None and current.live:
        cancel(draft, plan, current, event.at, RESTARTED)
    instant = draft.case.received_at if event.type == "registered" else None
    start(draft, plan, event.at, event.type, instant=instant)


def _extend(draft: Draft, event: Event) -> None:
    plan = draft.rulebook.plans[event.data["clock"]]
    current = draft.case.current(plan.clock.id)
    if current is not None and current.live:
        current.extensions = [*current.extensions, {"by": event.data.get("extend_by", ""), "until": event.data.get("until")}]
        _move(draft, plan, current, event.at, event.type)


def _end(draft: Draft, event: Event) -> None:
    for plan in draft.rulebook.plans.values():
        current = draft.case.current(plan.clock.id)
        if current is None or current.state in ("stopped", "cancelled") or current.event == event.type:
            continue
        if current.live:
            cancel(draft, plan, current, event.at, event.type)
        else:
            current.state = "cancelled"
    for climb in draft.case.climbs:
        climb.active = False


def _pauses(current: Round) -> Pauses:
    return tuple((begin, end) for begin, end in current.pauses if begin is not None) if current.pauses else ()


def _extensions(current: Round) -> list[Extension]:
    return [Extension(Duration.parse(each["by"]) if each["by"] else None, each["until"]) for each in current.extensions]
