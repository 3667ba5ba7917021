"""Whether an action is accepted on a case, and which event it becomes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from services.sla.domain.lifecycle import clock_deadlines
from services.sla.domain.lifecycle.case import Case
from services.sla.domain.lifecycle.decision_builder import DecisionBuilder
from services.sla.domain.lifecycle.defaults.accused_people import accused_takes_part, stands_in
from services.sla.domain.lifecycle.defaults.acting_roles import may_not_act
from services.sla.domain.lifecycle.defaults.action_refusal import ActionRefusal
from services.sla.domain.lifecycle.defaults.closing import ends_too_early, missing_call_back
from services.sla.domain.lifecycle.defaults.decided_objects import AS_APPROVED, lacks_object
from services.sla.domain.lifecycle.defaults.existing_references import unknown_reference
from services.sla.domain.lifecycle.defaults.single_decisions import decision_not_awaited
from services.sla.domain.lifecycle.defaults.waivers import waived
from services.sla.domain.lifecycle.findings.rules import decision_out_of_order, is_blank, wrong_finding_data
from services.sla.domain.lifecycle.links.duplicates import follows_lead
from services.sla.domain.lifecycle.permitting.extension_requests import EXTENSION_ACTIONS, clock_id_of, invalid_extension
from services.sla.domain.lifecycle.permitting.known_data import further_data
from services.sla.domain.lifecycle.reviews.decisions import DECIDE_REVIEW, missing_decision, no_open_review, review_changes
from services.sla.domain.rules.plans import STOPS, Permission
from services.sla.domain.rules.rulebook import Rulebook
from shared.contracts.actions import ACTION_DEFINITIONS
from shared.contracts.events.empty_fields import EMPTY_EVENT_FIELDS
from shared.procedures.model.actions.report_needs import missing_fields
from shared.procedures.model.effects import role_tuple

_EVENT_FIELD_NAMES = {"by": "extend_by", "case": "to_case", "role": "to_role", "passed": ""}
"""Action data that have another name in the event; an empty name is left out of the event."""
_REQUIRED_EVENT_FIELDS = {("link", "case"): "to_case", ("unlink", "case"): "to_case"}


def effective_action(builder: DecisionBuilder, action: str) -> str:
    """The action that this one amounts to: `reclassify` for a case with a class, `reassign` for a case with a lead department."""
    if action == "classify" and builder.case.class_:
        return "reclassify"
    return "reassign" if action == "route" and builder.case.department else action


def resulting_event_type(builder: DecisionBuilder, action: str, data: dict[str, Any]) -> str:
    """The type of the event that an action causes on this case."""
    definition = ACTION_DEFINITIONS[effective_action(builder, action)]
    if action == "answer" and builder.case.answered:
        return "answered"
    return definition.event_id_if_not_passed if definition.event_id_if_not_passed and data.get("passed") is False else definition.event_id


def action_event_fields(event_type: str, data: dict[str, Any]) -> dict[str, Any]:
    """The event's fields from an action's data; empty values and data that the event has no field for are left out."""
    fields = {_EVENT_FIELD_NAMES.get(name, name): value for name, value in data.items() if value not in ("", None, [], {})}
    # The contract's field is a text: the promise itself, or `true` where only its being made is known.
    if "promise" in fields and not isinstance(fields["promise"], str):
        fields["promise"] = "true" if fields["promise"] else ""
    return {name: value for name, value in fields.items() if name in EMPTY_EVENT_FIELDS[event_type]}


def needs_sign_off(builder: DecisionBuilder, data: dict[str, Any]) -> bool:
    """Whether measures with these event fields take effect only once they are signed off."""
    rules = builder.rulebook.permissions_by_action.get("submit_measures", ())
    return any(rule.needs_sign_off is not None and builder.holds(rule.needs_sign_off, data, otherwise=True) for rule in rules)


def fields_of_rules(builder: DecisionBuilder, action: str, at: int, data: dict[str, Any]) -> dict[str, Any]:
    """The fields that the rules of an accepted action add to its event: rule and clause, and in `missing` what its report lacks."""
    permissions = builder.rulebook.permissions_by_action.get(effective_action(builder, action), ())
    restricting = [permission for permission in permissions if permission.rule.incomplete == "refuse"]
    lacking = {
        name: permission.clauses
        for permission in permissions
        if permission.rule.incomplete == "missing" and builder.holds(permission.when, {**data, "at": at}, otherwise=True)
        for name in missing_fields(permission.rule.report_needs, data)
    }
    fields: dict[str, Any] = {"missing": list(lacking)} if lacking else {}
    if "clause" not in data and (restricting or lacking):
        clauses = [*lacking.values(), *(permission.clauses for permission in restricting)]
        fields.update(builder.rule_fields(action, next(filter(None, clauses), [])))
    return fields


def find_refusal(builder: DecisionBuilder, action: str, event_type: str, at: int, data: dict[str, Any]) -> ActionRefusal | None:
    """The first reason to refuse an action, None if it is accepted; `data` are the fields of the event that it would become."""
    return (
        wrong_finding_data(builder, action, at, data)
        or follows_lead(builder, action, event_type)
        or _refused_review(builder, action, at, data)
        or _wrong_case_status(builder, action)
        or _window_closed(builder, action)
        or _too_many_returns(builder, action)
        or _unknown_class(builder, data)
        or unknown_reference(builder, event_type, data)
        or _already_deemed(builder, event_type, at)
        or _early_date(builder, data)
        or (invalid_extension(builder, action, at, data) if action in EXTENSION_ACTIONS else None)
        or _broken_rules(builder, action, {**data, "at": at})
        or _not_to_be_started(builder, action, {**data, "at": at})
        # After the procedure's rules: a refusal names the procedure's clause before a default (vocabulary.md).
        or may_not_act(builder, action, data.get("role", ""))
        or accused_takes_part(builder, action, {**data, "at": at})
        or decision_not_awaited(builder, action, event_type, {**data, "clock": clock_id_of(builder, data)})
        or decision_out_of_order(builder, action, data)
        or lacks_object(builder, action, {**data, "at": at})
        or ends_too_early(builder, action, {**data, "at": at})
    )


def find_refusal_before_data(builder: DecisionBuilder, action: str, event_type: str, at: int, data: dict[str, Any]) -> ActionRefusal | None:
    """The first reason to refuse an action whatever else it brings: of `data` only role, actor, passed and clock are known.

    The same checks in the same order as `find_refusal`, without those of values that are not given yet.
    """
    moment = {**data, "at": at}
    return (
        follows_lead(builder, action, event_type)
        or (no_open_review(builder) if action == DECIDE_REVIEW else None)
        or _wrong_case_status(builder, action)
        or _window_closed(builder, action)
        or _too_many_returns(builder, action)
        or _already_deemed(builder, event_type, at)
        or (invalid_extension(builder, action, at, data, data_known=False) if action in EXTENSION_ACTIONS else None)
        or _broken_rules(builder, action, moment, data_known=False)
        or _not_to_be_started(builder, action, moment)
        or may_not_act(builder, action, data.get("role", ""))
        or accused_takes_part(builder, action, moment)
        or decision_not_awaited(builder, action, event_type, {**data, "clock": data.get("clock", "")})
        or lacks_object(builder, action, moment)
        or ends_too_early(builder, action, moment)
    )


def _refused_review(builder: DecisionBuilder, action: str, at: int, data: dict[str, Any]) -> ActionRefusal | None:
    """The refusal of a decision on a review, or of one of the actions that it amounts to: a decision is taken whole or not at all."""
    if action != DECIDE_REVIEW:
        return None
    refusals = (find_refusal(builder, change.action, change.event_type, at, change.data) for change in review_changes(builder.case, data))
    return missing_decision(builder, data) or next(filter(None, refusals), None)


def may_decide_review(case: Case, rulebook: Rulebook, roles: Iterable[str], at: int) -> bool:
    """Whether one of the roles may decide on the review of the case, by the rules that name who may."""
    builder, rules = DecisionBuilder(case, rulebook, at), rulebook.permissions_by_action.get(DECIDE_REVIEW, ())
    return any(
        may_not_act(builder, DECIDE_REVIEW, role) is None
        and not any(
            _wrong_role(builder, DECIDE_REVIEW, rule, {"role": role, "at": at})
            for rule in rules
            if builder.holds(rule.when, {"role": role, "at": at}, otherwise=True)
        )
        for role in roles
    )


def missing_data(action: str, data: dict[str, Any]) -> ActionRefusal | None:
    """The refusal of an action without what it requires; `data` are the action's together with its event's, which lacks `passed`."""
    definition = ACTION_DEFINITIONS[action]
    missing = [name for name in definition.required_data if is_blank(data.get(_REQUIRED_EVENT_FIELDS.get((action, name), name)))]
    if definition.one_of and all(is_blank(data.get(name)) for name in definition.one_of):
        return ActionRefusal(f"{' and '.join(definition.one_of)} are missing; give one of them with {action}")
    return ActionRefusal(f"{missing[0]} is missing; give {missing[0]} with {action}") if missing else None


def _wrong_case_status(builder: DecisionBuilder, action: str) -> ActionRefusal | None:
    if action == "close" and not builder.case.open:
        return ActionRefusal(f"the case is {builder.case.status} already; reopen it first")
    if action == "reopen" and builder.case.open:
        return ActionRefusal("the case is open; only a case that has ended can be reopened")
    return None


def _window_closed(builder: DecisionBuilder, action: str) -> ActionRefusal | None:
    clauses = builder.case.windows.get(action)
    return None if clauses is None else ActionRefusal(f"the time for {action} has passed", clauses)


def _too_many_returns(builder: DecisionBuilder, action: str) -> ActionRefusal | None:
    most = builder.rulebook.procedure.most_returns
    if action != "return" or builder.case.count.get("returned", 0) < most:
        return None
    return ActionRefusal(f"the case has been returned {most} times already; object, and have it ruled who is responsible")


def _unknown_class(builder: DecisionBuilder, data: dict[str, Any]) -> ActionRefusal | None:
    class_ids = [rule.id for rule in builder.rulebook.procedure.classes]
    class_id = data.get("class")
    if not class_id or not class_ids or class_id in class_ids:
        return None
    return ActionRefusal(f"there is no class {class_id}; classes are {', '.join(dict.fromkeys(class_ids))}")


def _already_deemed(builder: DecisionBuilder, event_type: str, at: int) -> ActionRefusal | None:
    """An event that would have stopped a clock is too late once the clock has run out and deemed another event (time.md)."""
    for plan in builder.rulebook.plans_by_event.get(event_type, ()):
        run = builder.case.current_run(plan.clock.id)
        if run is None or not run.deemed or plan.clock.late != "refuse" or event_type not in plan.matches[STOPS]:
            continue
        if run.ended is None or at >= run.ended:
            return ActionRefusal(f"{run.deemed} has happened already", plan.clauses, plan.clock.id, late=True)
    return None


def _early_date(builder: DecisionBuilder, data: dict[str, Any]) -> ActionRefusal | None:
    early = clock_deadlines.early_date(builder, data)
    return None if early is None else ActionRefusal(early[1], early[0].clauses, early[0].clock.id)


def _broken_rules(builder: DecisionBuilder, action: str, data: dict[str, Any], *, data_known: bool = True) -> ActionRefusal | None:
    """The reason of the first of the procedure's rules that is broken, with the clauses of all of them.

    Without `data_known` rules that read further data of the action do not count.
    """
    broken = [
        (number, reason, permission)
        for number, permission in enumerate(builder.rulebook.permissions_by_action.get(action, ()))
        # A rule that cannot be read restricts: nobody gets by it with a value that overflows.
        if (data_known or not further_data(permission.when))
        and builder.holds(permission.when, data, otherwise=True)
        and (reason := _rule_violation(builder, action, permission, data, data_known=data_known)) is not None
    ]
    if not broken:
        return None
    number, reason, first = broken[0]
    clauses = list(dict.fromkeys(clause for _, _, permission in broken for clause in permission.clauses))
    return ActionRefusal(first.rule.reason or reason, clauses, f"{action}.{number}" if number else action)


def _not_to_be_started(builder: DecisionBuilder, action: str, data: dict[str, Any]) -> ActionRefusal | None:
    """The refusal to handle what may not be started: anyone who leaves `start_work` out must not get round the approval (eight-steps 6)."""
    if action != "handle" or waived(builder, action, "carried_out_as_approved", data):
        return None
    broken = [
        permission
        for permission in builder.rulebook.permissions_by_action.get("start_work", ())
        if permission.requires is not None
        and builder.holds(permission.when, data, otherwise=True)
        and not builder.holds(permission.requires, data)
    ]
    if not broken:
        return None
    first = broken[0]
    reason = first.rule.reason or f"handle needs what start_work needs: {first.requires.source if first.requires else ''}"
    return ActionRefusal(reason, list(dict.fromkeys(clause for each in broken for clause in each.clauses)), AS_APPROVED)


def _wrong_role(builder: DecisionBuilder, action: str, permission: Permission, data: dict[str, Any]) -> str | None:
    if permission.rule.by is None:
        return None
    allowed = role_tuple(permission.rule.by)
    if data.get("role") in allowed or stands_in(builder, data.get("role", ""), allowed, data["at"]):
        return None
    return f"{data.get('role') or 'an actor without a role'} may not {action}; {' or '.join(allowed)} may"


def _rule_violation(builder: DecisionBuilder, action: str, permission: Permission, data: dict[str, Any], *, data_known: bool) -> str | None:
    rule = permission.rule
    if (wrong_role := _wrong_role(builder, action, permission, data)) is not None:
        return wrong_role
    if rule.at_most is not None and builder.case.count.get(ACTION_DEFINITIONS[action].event_id, 0) >= rule.at_most:
        return f"{action} is accepted at most {rule.at_most} times"
    if data_known and rule.reasons and data.get("reason") not in rule.reasons:
        return f"the reason is not on the procedure's list: {', '.join(rule.reasons)}"
    requires = permission.requires if data_known or not further_data(permission.requires) else None
    if requires is not None and not builder.holds(requires, data):
        return f"{action} requires: {requires.source}"
    if data_known and rule.incomplete == "refuse" and (lacking := missing_fields(rule.report_needs, data)):
        contents = (name if rule.report_needs[name] == "any" else f"{name} ({rule.report_needs[name]})" for name in lacking)
        return f"the report is incomplete; {action} needs {', '.join(contents)}"
    if rule.call_back is not None and action == "close":
        return missing_call_back(builder, rule.call_back, data)
    return None
