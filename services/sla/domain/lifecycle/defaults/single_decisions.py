"""One decision for one submission: approval, review and extensions each decide once on what was submitted last."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from services.sla.domain.lifecycle.decision_builder import DecisionBuilder
from services.sla.domain.lifecycle.defaults.action_refusal import ActionRefusal
from services.sla.domain.lifecycle.defaults.submissions import AWAITED, EXTENSION_DECISIONS, REVIEW, SUBJECT_BY_EVENT, extension_subject
from shared.procedures.model.actions.action_rules import ActionRule

RULE = "one_decision"


def decision_not_awaited(builder: DecisionBuilder, action: str, event_type: str, data: dict[str, Any]) -> ActionRefusal | None:
    """The refusal of a decision without a submission that awaits it, or once it is taken, naming the decision that was taken."""
    is_extension = event_type in EXTENSION_DECISIONS
    subject = extension_subject(data) if is_extension else SUBJECT_BY_EVENT.get(event_type)
    if subject is None or _may_decide_anyway(builder, action, subject, data.get("role", "")):
        return None
    taken = builder.case.decisions.get(subject)
    if taken == AWAITED or (taken is not None and _accepts_late_decisions(builder, taken)):
        return None
    again = "request the extension" if is_extension else "request a review or submit measures" if subject == REVIEW else "submit measures"
    if taken is not None:
        return ActionRefusal(f"{action}: {taken} has decided already; {again} again, and decide on that", rule=RULE)
    if builder.case.unsigned and not is_extension:
        return ActionRefusal(f"{action}: the measures await their sign-off; sign them off first", rule=RULE)
    return ActionRefusal(f"{action}: nothing awaits this decision; {again} first", rule=RULE)


def _may_decide_anyway(builder: DecisionBuilder, action: str, subject: str, role: str) -> bool:
    """Whether the procedure lets several roles decide one after the other, or an extension be granted that no one asked for."""
    decisions = builder.case.decisions
    for rule in _rules(builder, action):
        if rule.unasked:
            return True
        if rule.each_role and subject in decisions and f"{subject} by {role}" not in decisions:
            return True
    return False


def _accepts_late_decisions(builder: DecisionBuilder, deemed: str) -> bool:
    """Whether the clock that deemed the decision accepts a person's decision after it (`late: accept`)."""
    runs = ((plan, builder.case.current_run(plan.clock.id)) for plan in builder.rulebook.clock_plans.values())
    return any(run is not None and run.deemed == deemed and plan.clock.late == "accept" for plan, run in runs)


def _rules(builder: DecisionBuilder, action: str) -> Iterator[ActionRule]:
    return (permission.rule for permission in builder.rulebook.permissions_by_action.get(action, ()))
