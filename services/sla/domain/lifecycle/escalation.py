"""Escalation: a matter moves up a ladder rung by rung until it is acknowledged or no rung is left."""

from __future__ import annotations

from typing import Any

from services.sla.domain.deadlines.counting import add_duration
from services.sla.domain.lifecycle.case import Escalation, Event
from services.sla.domain.lifecycle.decision_builder import END_EVENTS, DecisionBuilder
from services.sla.domain.lifecycle.notifications import NotificationOptions, notify_roles, report_no_recipient, role_holders
from services.sla.domain.messages.message_values import clock_values, title_values, wording_values
from services.sla.domain.rules.plans import first_clauses
from shared.procedures.model.duration import Duration
from shared.procedures.model.effects import role_tuple
from shared.procedures.model.timed_entries import EscalationLadder

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
    ladder = resolve_ladder(builder, escalation.ladder)
    rule_fields = builder.rule_fields(escalation.ladder, list(dict.fromkeys([*escalation.clause, *first_clauses(ladder.clause)])))
    for rung in range(escalation.rung + 1, len(ladder.rungs)):
        recipients = [role for role in role_tuple(ladder.rungs[rung]) if role_holders(builder, role, at)]
        if recipients:
            escalation.rung = rung
            escalation.next = None if ladder.every is None else add_duration(builder.worktime, at, Duration.parse(ladder.every))[0]
            _notify_rung(builder, escalation, ladder, at, recipients, rule_fields)
            return
    escalation.active, escalation.next, escalation.rung = False, None, len(ladder.rungs)
    report_no_recipient(builder, at, role_tuple(ladder.rungs[-1])[-1], rule_fields, escalation.ladder)


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
    rungs: list[str | list[str]] = [ladder_or_role]
    role = builder.rulebook.organisation.role_above(ladder_or_role)
    while role is not None and role not in rungs:
        rungs.append(role)
        role = builder.rulebook.organisation.role_above(role)
    return EscalationLadder.model_construct(
        id=ladder_or_role, clause=None, zh="", en="", rungs=rungs, every=DEFAULT_RUNG_INTERVAL, by=["email", "sms"], text=None
    )


def _notify_rung(
    builder: DecisionBuilder, escalation: Escalation, ladder: EscalationLadder, at: int, recipients: list[str], rule_fields: dict[str, Any]
) -> None:
    data = {**rule_fields, "role": recipients[0], "recipients": recipients, "rung": escalation.rung + 1, "ladder": escalation.ladder}
    values = {**title_values(ladder.zh, ladder.en), **_clock_values(builder, escalation, at), **wording_values(ladder.text, builder.case)}
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
    return clock_values(plan.clock, run.start, run.due_at, overdue=run.due_at is not None and run.due_at <= at)
