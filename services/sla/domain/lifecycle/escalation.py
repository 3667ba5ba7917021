"""Escalation: a matter climbs a ladder rung by rung until somebody acknowledges it, or nobody is left."""

from __future__ import annotations

from typing import Any

from services.sla.domain.deadlines.counting import add_duration
from services.sla.domain.lifecycle.case import Escalation, Event
from services.sla.domain.lifecycle.decision_builder import END_EVENTS, DecisionBuilder
from services.sla.domain.lifecycle.notifications import clock_values, notify_roles, report_no_recipient, role_holders
from services.sla.domain.rules.plans import first_clauses
from shared.procedures.model.duration import Duration
from shared.procedures.model.effects import role_tuple
from shared.procedures.model.timed_entries import EscalationLadder

DEFAULT_RUNG_INTERVAL = "1d"
"""How long a role that is not on a ladder of the procedure has before the matter goes on up the organisation's line."""


def escalate(
    builder: DecisionBuilder, at: int, ladder_or_role: str, rule_fields: dict[str, Any], clock_id: str, channels: list[str]
) -> None:
    """Put a matter on a ladder (or before a role); where it already climbs, a new cause takes it one rung further."""
    ladder = resolve_ladder(builder, ladder_or_role)
    own = rule_fields.get("clauses") or ([rule_fields["clause"]] if "clause" in rule_fields else [])
    patient = ladder.every is None  # only a new cause moves it, so one climb serves the whole case
    climb = next(
        (each for each in builder.case.climbs if each.ladder == ladder_or_role and (patient or (each.clock == clock_id and each.active))),
        None,
    )
    if climb is None:
        climb = Escalation(ladder_or_role, clock_id, -1, None, active=True, clause=own, by=channels)
        builder.case.climbs.append(climb)
    climb.active = True
    advance_escalation(builder, climb, at)


def advance_escalation(builder: DecisionBuilder, escalation: Escalation, at: int) -> None:
    """Take a matter to the next rung that somebody holds."""
    ladder = resolve_ladder(builder, escalation.ladder)
    because = builder.rule_fields(escalation.ladder, list(dict.fromkeys([*escalation.clause, *first_clauses(ladder.clause)])))
    for rung in range(escalation.rung + 1, len(ladder.rungs)):
        told = [role for role in role_tuple(ladder.rungs[rung]) if role_holders(builder, role, at)]
        if told:
            escalation.rung = rung
            escalation.next = None if ladder.every is None else add_duration(builder.worktime, at, Duration.parse(ladder.every))[0]
            _notify_rung(builder, escalation, at, told, because)
            return
    escalation.active, escalation.next, escalation.rung = False, None, len(ladder.rungs)
    report_no_recipient(builder, at, role_tuple(ladder.rungs[-1])[-1], because, escalation.ladder)


def end_escalations(builder: DecisionBuilder, event: Event) -> None:
    """An acknowledgement and the end of the case end every escalation."""
    if event.type == "escalation_acknowledged":
        for climb in builder.case.climbs:
            climb.active, climb.next = False, None
    elif event.type in END_EVENTS:
        for climb in builder.case.climbs:
            climb.active = False


def resolve_ladder(builder: DecisionBuilder, ladder_or_role: str) -> EscalationLadder:
    """The procedure's ladder of that id; for a role, the organisation's line from there upward."""
    found = builder.rulebook.ladders.get(ladder_or_role)
    if found is not None:
        return found
    rungs: list[str | list[str]] = [ladder_or_role]
    role = builder.rulebook.organisation.role_above(ladder_or_role)
    while role is not None and role not in rungs:
        rungs.append(role)
        role = builder.rulebook.organisation.role_above(role)
    return EscalationLadder.model_construct(
        id=ladder_or_role, clause=None, zh="", en="", rungs=rungs, every=DEFAULT_RUNG_INTERVAL, by=["email", "sms"]
    )


def _notify_rung(draft: DecisionBuilder, climb: Escalation, at: int, told: list[str], because: dict[str, Any]) -> None:
    data = {**because, "role": told[0], "recipients": told, "rung": climb.rung + 1, "ladder": climb.ladder}
    if climb.clock:
        data["clock"] = climb.clock
    cause = "timer" if draft.now > at else ""
    draft.add_event("escalated", at, data, cause)
    notify_roles(
        draft, at, told, because, {"by": climb.by, "about": "escalated", "urgent": True, "values": _clock_values(draft, climb, at)}
    )


def _clock_values(draft: DecisionBuilder, climb: Escalation, at: int) -> dict[str, Any]:
    """What an escalation states of the clock that caused it; nothing without a clock."""
    plan, run = draft.rulebook.clock_plans.get(climb.clock), draft.case.current_run(climb.clock)
    if plan is None or run is None:
        return {}
    due_at = run.due_at
    return clock_values(plan.clock, run.start, due_at, overdue=due_at is not None and due_at <= at)
