"""Escalation: a matter moves up a ladder rung by rung until it is acknowledged or no rung is left."""

from __future__ import annotations

from typing import Any

from services.sla.domain.deadlines.counting import add_duration
from services.sla.domain.lifecycle.case import Case, ClockRun, Escalation, Event
from services.sla.domain.lifecycle.decision_builder import END_EVENTS, DecisionBuilder
from services.sla.domain.lifecycle.notifications import NotificationOptions, clock_owner, notify_roles, report_no_recipient, role_holders
from services.sla.domain.messages.message_values import clock_values, title_values, wording_values
from services.sla.domain.rules.limit_defaults import ESCALATION_RULE
from services.sla.domain.rules.plans import first_clauses
from shared.procedures.model.duration import Duration
from shared.procedures.model.effects import MessageChannel, role_tuple
from shared.procedures.model.timed_entries import EscalationLadder

CHANNELS: tuple[MessageChannel, ...] = ("email", "sms")
DEFAULT_RUNG_INTERVAL = "1d"
"""How long a role has to acknowledge where the ladder is the organisation's line and not one of the procedure."""


def escalate(
    builder: DecisionBuilder, at: int, ladder_or_role: str, rule_fields: dict[str, Any], clock_id: str, channels: list[str]
) -> None:
    """Start an escalation on a ladder or from a role upward; where one is already active, take it one rung further.

    A ladder without an interval moves by new causes only, so it has one escalation for the whole case.
    """
    # An ended escalation stays in the list: on such a ladder the next cause continues from the rung it has reached.
    once_per_case = resolve_ladder(builder, ladder_or_role).every is None
    for escalation in builder.case.climbs:
        if escalation.ladder == ladder_or_role and (once_per_case or (escalation.clock == clock_id and escalation.active)):
            break
    else:
        clauses = rule_fields.get("clauses") or ([rule_fields["clause"]] if "clause" in rule_fields else [])
        escalation = Escalation(ladder_or_role, clock_id, rung=-1, next=None, active=True, clause=clauses, by=channels)
        builder.case.climbs.append(escalation)
    escalation.active = True
    advance_escalation(builder, escalation, at)


def advance_escalation(builder: DecisionBuilder, escalation: Escalation, at: int) -> None:
    """Take an escalation to the next rung that has a holder; without one, it ends and `no_recipient` is added."""
    ladder = _line_above_owner(builder, escalation.clock) if escalation.every else resolve_ladder(builder, escalation.ladder)
    rule_fields = builder.rule_fields(escalation.ladder, list(dict.fromkeys([*escalation.clause, *first_clauses(ladder.clause)])))
    for rung in range(escalation.rung + 1, len(ladder.rungs)):
        recipients = [role for role in role_tuple(ladder.rungs[rung]) if role_holders(builder, role, at)]
        if recipients:
            escalation.rung = rung
            escalation.next = _next_rung_at(builder, at, escalation.every or ([] if ladder.every is None else [ladder.every]))
            further = any(role_holders(builder, role, at) for above in ladder.rungs[rung + 1 :] for role in role_tuple(above))
            _notify_rung(builder, escalation, ladder, at, recipients, rule_fields, goes_on=further and escalation.next is not None)
            return
    escalation.active, escalation.next, escalation.rung = False, None, len(ladder.rungs)
    top = role_tuple(ladder.rungs[-1])[-1] if ladder.rungs else clock_owner(builder, builder.rulebook.clock_plans[escalation.clock])
    report_no_recipient(builder, at, top, rule_fields, escalation.ladder)


def is_told_above(builder: DecisionBuilder, clock_id: str, at: int, told: list[str]) -> bool:
    """Whether the nearest role above the clock's owner is one of these, or someone is informed and there is no role above."""
    rungs = (role_tuple(rung) for rung in _line_above_owner(builder, clock_id).rungs)
    nearest = next((roles for roles in rungs if any(role_holders(builder, role, at) for role in roles)), None)
    return bool(told) and (nearest is None or bool(set(nearest) & set(told)))


def begin_climb(builder: DecisionBuilder, clock_id: str, at: int, clauses: list[str], intervals: list[str]) -> None:
    """Climb the organisation's line above the clock's owner, one role after each interval, until the clock ends."""
    end_climbs(builder.case, clock_id)
    next_at = _next_rung_at(builder, at, intervals)
    builder.case.climbs.append(_climb(ESCALATION_RULE, clock_id, clauses, next_at, intervals))


def end_climbs(case: Case, clock_id: str) -> None:
    """End what the engine's default escalates about a clock: the clock has ended, so no one is to be chased any more."""
    for escalation in case.climbs:
        if escalation.every and escalation.clock == clock_id:
            escalation.active, escalation.next = False, None


def hold_climbs(builder: DecisionBuilder, run: ClockRun, at: int) -> None:
    """Hold the escalation of a limit while its clock is paused, and continue one interval after it resumes."""
    for escalation in builder.case.climbs:
        if escalation.every and escalation.active and escalation.clock == run.clock:
            escalation.next = None if run.state == "paused" else _next_rung_at(builder, at, escalation.every)


def postpone_climbs(builder: DecisionBuilder, run: ClockRun) -> None:
    """Move the escalation of a limit behind the limit's new due instant, which an extension has granted."""
    for escalation in builder.case.climbs:
        if escalation.every and escalation.next is not None and escalation.clock == run.clock and run.due_at is not None:
            next_at = _next_rung_at(builder, run.due_at, escalation.every)
            escalation.next = escalation.next if next_at is None else max(escalation.next, next_at)


def tell_above(builder: DecisionBuilder, clock_id: str, at: int, rule_fields: dict[str, Any]) -> None:
    """Inform the nearest role above the clock's owner that has a holder, else the fallback person."""
    clauses = rule_fields.get("clauses") or ([rule_fields["clause"]] if "clause" in rule_fields else [])
    advance_escalation(builder, _climb(rule_fields["rule"], clock_id, clauses, None, [DEFAULT_RUNG_INTERVAL]), at)


def _climb(rule: str, clock_id: str, clauses: list[str], next_at: int | None, intervals: list[str]) -> Escalation:
    return Escalation(rule, clock_id, rung=-1, next=next_at, active=True, clause=clauses, by=[*CHANNELS], every=intervals)


def _next_rung_at(builder: DecisionBuilder, at: int, intervals: list[str]) -> int | None:
    instants = [add_duration(builder.worktime, at, Duration.parse(interval))[0] for interval in intervals]
    return min((instant for instant in instants if instant is not None), default=None)


def _line_above_owner(builder: DecisionBuilder, clock_id: str) -> EscalationLadder:
    rungs = _line_from(builder, clock_owner(builder, builder.rulebook.clock_plans[clock_id]))[1:]
    return EscalationLadder.model_construct(
        id=ESCALATION_RULE, clause=None, zh="", en="", rungs=rungs, every_=None, by=[*CHANNELS], text=None
    )


def end_escalations(builder: DecisionBuilder, event: Event) -> None:
    """End all escalations of the case on an acknowledgement and on the end of the case."""
    if event.type == "escalation_acknowledged":
        for escalation in builder.case.climbs:
            escalation.active, escalation.next = False, None
    elif event.type in END_EVENTS:
        for escalation in builder.case.climbs:
            escalation.active = False


def resolve_ladder(builder: DecisionBuilder, ladder_or_role: str) -> EscalationLadder:
    """The procedure's ladder with that id; for a role, the organisation's line from that role upward."""
    ladder = builder.rulebook.ladders.get(ladder_or_role)
    if ladder is not None:
        return ladder
    return EscalationLadder.model_construct(
        id=ladder_or_role,
        clause=None,
        zh="",
        en="",
        rungs=_line_from(builder, ladder_or_role),
        every_=DEFAULT_RUNG_INTERVAL,
        by=[*CHANNELS],
        text=None,
    )


def _line_from(builder: DecisionBuilder, first_role: str) -> list[str | list[str]]:
    """A role and those above it in the organisation."""
    line: list[str | list[str]] = [first_role]
    role = builder.rulebook.organisation.role_above(first_role)
    while role is not None and role not in line:
        line.append(role)
        role = builder.rulebook.organisation.role_above(role)
    return line


def _notify_rung(
    builder: DecisionBuilder,
    escalation: Escalation,
    ladder: EscalationLadder,
    at: int,
    recipients: list[str],
    rule_fields: dict[str, Any],
    *,
    goes_on: bool,
) -> None:
    data = {**rule_fields, "role": recipients[0], "recipients": recipients, "rung": escalation.rung + 1, "ladder": escalation.ladder}
    values = {**title_values(ladder.zh, ladder.en), **_clock_values(builder, escalation, at), **wording_values(ladder.text, builder.case)}
    if goes_on:  # else nobody is left above: the message must not threaten with him
        values["goes_on"] = True
    if escalation.clock:
        data["clock"] = escalation.clock
    builder.add_event("escalated", at, data, "timer" if builder.now > at else "")
    options = NotificationOptions(by=escalation.by, about="escalated", urgent=True, values=values)
    notify_roles(builder, at, recipients, rule_fields, options)


def _clock_values(builder: DecisionBuilder, escalation: Escalation, at: int) -> dict[str, Any]:
    """The template's values of the clock that caused an escalation; empty without a clock."""
    plan, run = builder.rulebook.clock_plans.get(escalation.clock), builder.case.current_run(escalation.clock)
    if plan is None or run is None:
        return {}
    # Of a repeating clock, the period that has just ended is meant and not the next one.
    due_at = run.due_at if run.dues or run.occurred is None else run.occurred
    return clock_values(plan.clock, run.start, due_at, overdue=due_at is not None and due_at <= at)
