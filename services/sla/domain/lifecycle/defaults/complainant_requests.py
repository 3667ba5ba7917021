"""The complainant speaks again: whom urgings and supplements are reported to, and what follows on a case that has ended."""

from __future__ import annotations

from typing import Any

from services.sla.domain.lifecycle.case import Case, Event
from services.sla.domain.lifecycle.decision_builder import DecisionBuilder
from services.sla.domain.lifecycle.notifications import (
    COMPLAINANT_ROLE,
    NotificationOptions,
    accused,
    case_owner,
    clock_owner,
    notify_roles_or_superiors,
    request_notification,
    role_holders,
)
from shared.procedures.model.procedure import AfterEndRule

RULE, AFTER_END_RULE = "complainant_speaks_again", "after_end"
REQUEST_EVENTS = frozenset({"urged", "supplemented"})
_HOUR = 3_600_000_000
_DEFAULT_AFTER_END = AfterEndRule.model_construct(follows="ask", clause=[])
_CHANNELS = ["email", "sms"]


def event_type_of_request(builder: DecisionBuilder, event_type: str, role: str) -> str:
    """`urged` for the complainant's `reopen` of an ended case where a person decides on it; any other type unchanged."""
    asks = event_type == "reopened" and role == COMPLAINANT_ROLE and not builder.case.open and _after_end(builder).follows == "ask"
    return "urged" if asks else event_type


def follow_up_request(builder: DecisionBuilder, event: Event) -> None:
    """Inform the responsible person of an urging or a supplement, and reopen an ended case where the procedure states it."""
    case = builder.case
    if event.data.get("to_case"):  # on a duplicate: it goes to the lead
        return
    after_end = _after_end(builder)
    if not case.open and after_end.follows == "reopen":
        clauses = [after_end.clause] if isinstance(after_end.clause, str) else list(after_end.clause)
        builder.add_event("reopened", event.at, {**builder.rule_fields(AFTER_END_RULE, clauses), "role": "system"})
    if event.type == "supplemented":
        tell_responsible(builder, event.at, RULE, "supplemented", {})
        return
    case.urgings += 1
    due = urgings_due(case)
    if due is None or due <= event.at:
        tell_urgings(builder, event.at)


def urgings_due(case: Case) -> int | None:
    """The instant of the message about further urgings, None if there are none; at most one message an hour."""
    if not case.urgings or case.lead:
        return None
    return 0 if case.urgings_told_at is None else case.urgings_told_at + _HOUR


def tell_urgings(builder: DecisionBuilder, at: int) -> None:
    """Inform the responsible person of the number of urgings since the last message."""
    case = builder.case
    number, case.urgings, case.urgings_told_at = case.urgings, 0, at
    tell_responsible(builder, at, RULE, "urged", {"urgings": number})


def _after_end(builder: DecisionBuilder) -> AfterEndRule:
    return builder.rulebook.procedure.after_end or _DEFAULT_AFTER_END


def tell_responsible(builder: DecisionBuilder, at: int, rule: str, about: str, values: dict[str, Any]) -> None:
    """Request a notification of who is responsible now: the handler, else the department's head, else the role of the next clock due."""
    rule_fields = builder.rule_fields(rule, [])
    options = NotificationOptions(by=_CHANNELS, about=about, values=values)
    handler = _present_handler(builder, at)
    if handler:
        request_notification(builder, at, ["handler"], [handler], rule_fields, options)
    else:
        notify_roles_or_superiors(builder, at, [_responsible_role(builder, at)], rule_fields, options)


def _present_handler(builder: DecisionBuilder, at: int) -> str:
    """The person assigned to the open case, or his substitute; empty if there is none."""
    case, organisation = builder.case, builder.rulebook.organisation
    if not case.open or not case.handler:
        return ""
    if organisation.everyone:
        return "" if case.handler in accused(builder) else case.handler
    return organisation.present_substitute(case.handler, builder.worktime.to_datetime(at), accused(builder)) or ""


def _responsible_role(builder: DecisionBuilder, at: int) -> str:
    """The role that ended the case; of an open one the handler's, else the lead department's head, else the owner of the next clock."""
    case = builder.case
    if not case.open:
        return case.ended_by or case_owner(builder)
    if case.handler and role_holders(builder, case.handler, at):
        return case.handler
    if case.department and role_holders(builder, "owner", at):
        return "owner"
    runs = [(plan, builder.case.current_run(plan.clock.id)) for plan in builder.rulebook.clock_plans.values()]
    next_clocks = [(run.due_at, plan) for plan, run in runs if run is not None and run.is_active and run.due_at is not None]
    return clock_owner(builder, min(next_clocks, key=lambda item: item[0])[1]) if next_clocks else case_owner(builder)
