"""Refuses to close or to refuse a case for which nothing was done yet, or whose call-back is missing."""

from __future__ import annotations

from typing import Any

from services.sla.domain.lifecycle.decision_builder import DecisionBuilder
from services.sla.domain.lifecycle.defaults.action_refusal import ActionRefusal
from services.sla.domain.lifecycle.defaults.waivers import waived
from shared.procedures.model.actions.action_rules import CallBackDemand
from shared.procedures.model.effects import role_tuple

NEEDS_HANDLING, GOES_ON, DECIDES_ACCEPTANCE = "close_needs_handling", "dissatisfied_goes_on", "refuse_decides_acceptance"
_TOO_LATE_TO_REFUSE = ("accepted", "measures_approved", "measures_deemed_approved", "handled")
_DEFAULT_DEMAND = CallBackDemand()


def ends_too_early(builder: DecisionBuilder, action: str, data: dict[str, Any]) -> ActionRefusal | None:
    """The refusal to close a case in which nothing was done or whose complainant is dissatisfied, and to refuse an accepted one."""
    if action == "refuse":
        return _refused_too_late(builder, data)
    if action != "close":
        return None
    if not _done_or_answered(builder) and not waived(builder, action, "close_needs_handling", data):
        began = builder.case.count.get("measures_submitted", 0) or builder.case.count.get("work_started", 0)
        remedy = "handle it first" if began else "handle it, or answer the complainant, first"
        return ActionRefusal(f"close: nothing has been handled since the case was registered or reopened; {remedy}", rule=NEEDS_HANDLING)
    dissatisfied = builder.case.call_backs.outcome == "dissatisfied" and not _unreached(builder, _demand(builder, data), data)
    if dissatisfied and not waived(builder, action, "dissatisfied_goes_on", data):
        return ActionRefusal("close: the latest call-back or rating was dissatisfied; handle the matter again and call back", rule=GOES_ON)
    return None


def missing_call_back(builder: DecisionBuilder, demand: CallBackDemand, data: dict[str, Any]) -> str | None:
    """Return the refusal to close without the call-back that the regulation asks for.

    None if the call-back was made, or if enough attempts reached no one.
    """
    call_backs = builder.case.call_backs
    timely = call_backs.after_handling or builder.case.count.get("handled", 0) == 0
    if (timely and call_backs.outcome in demand.outcomes) or _unreached(builder, demand, data):
        return None
    needed = f"close needs a call-back after the latest handling with the outcome {' or '.join(demand.outcomes)}; call back"
    days = _days_needed(builder, demand)
    if not days:
        return needed
    closes = " or ".join(_closing_roles(builder, demand))
    return f"{needed}, and where nobody is reached on {days} working days, {closes} may close"


def _done_or_answered(builder: DecisionBuilder) -> bool:
    count = builder.case.count.get
    if count("handled", 0):
        return True
    # An answer alone ends only what needs no work: an enquiry, or a misunderstanding that is explained.
    began = count("measures_submitted", 0) or count("work_started", 0)
    return not began and bool(count("first_answered", 0) or count("answered", 0))


def _refused_too_late(builder: DecisionBuilder, data: dict[str, Any]) -> ActionRefusal | None:
    happened = next((event for event in _TOO_LATE_TO_REFUSE if builder.case.count.get(event, 0)), None)
    if happened is None or waived(builder, "refuse", "refuse_decides_acceptance", data):
        return None
    return ActionRefusal(f"refuse decides on acceptance, and {happened} has happened; close the case instead", rule=DECIDES_ACCEPTANCE)


def _demand(builder: DecisionBuilder, data: dict[str, Any]) -> CallBackDemand:
    """The call-back that the procedure asks for in this case, which states who may close where no one was reached."""
    for permission in builder.rulebook.permissions_by_action.get("close", ()):
        if permission.rule.call_back is not None and builder.holds(permission.when, data):
            return permission.rule.call_back
    return _DEFAULT_DEMAND


def _unreached(builder: DecisionBuilder, demand: CallBackDemand, data: dict[str, Any]) -> bool:
    """Whether no one was reached on enough working days since the latest handling, and the head of the unit closes."""
    days = _days_needed(builder, demand)
    enough = days > 0 and len(builder.case.call_backs.unreached_days) >= days
    return enough and data.get("role", "") in _closing_roles(builder, demand)


def _days_needed(builder: DecisionBuilder, demand: CallBackDemand) -> int:
    if isinstance(demand.unreached_days, int):
        return demand.unreached_days
    return int(builder.rulebook.bound_procedure.parameters.get(demand.unreached_days.parameter, 0))


def _closing_roles(builder: DecisionBuilder, demand: CallBackDemand) -> tuple[str, ...]:
    return tuple(builder.rulebook.owner_roles) if demand.closes is None else role_tuple(demand.closes)
