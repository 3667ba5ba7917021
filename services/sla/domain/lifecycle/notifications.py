"""The recipients of a role, and the request that notify executes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from services.sla.domain.lifecycle.decision_builder import DecisionBuilder
from services.sla.domain.messages.message_values import case_values, in_json
from services.sla.domain.rules.plans import ClockPlan
from shared.procedures.model.effects import COOPERATING, LEAD, RoleNames

COMPLAINANT_ROLE = "complainant"
_NO_ACCUSED: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class NotificationOptions:
    """How a notification is sent and what it is about.

    `by` are channels, `about` is the type of the event that asks and the default of `template`, `values` are those of the template,
    instants in microseconds.
    """

    by: list[str]
    about: str
    template: str | None = None
    urgent: bool = False
    values: dict[str, Any] = field(default_factory=dict)


def case_owner(builder: DecisionBuilder) -> str:
    """The role that has to act on the case: the role that took it over, else the first filled role of the procedure's ownership."""
    return builder.case.owner or first_held_role(builder, builder.rulebook.owner_roles)


def clock_owner(builder: DecisionBuilder, plan: ClockPlan) -> str:
    """The role that has to act before the clock is due."""
    owner = plan.clock.owner
    if owner == "owner":
        return case_owner(builder)
    if isinstance(owner, str | list):
        return first_held_role(builder, owner)
    return str(builder.case.last.get(owner.who, {}).get("role", "")) or case_owner(builder)


def first_held_role(builder: DecisionBuilder, roles: RoleNames) -> str:
    """The first of several roles that has a holder for this case; a single role as it is."""
    # A single role is named even if it is vacant; a notification then goes to the role above it.
    if isinstance(roles, str) or len(roles) == 1:
        return roles if isinstance(roles, str) else roles[0]
    at = builder.worktime.to_datetime(builder.now)
    return builder.rulebook.organisation.first_held_role(roles, _lead_department(builder), at, accused(builder))


def accused(builder: DecisionBuilder) -> frozenset[str]:
    """The people complained about and those who report to them: never recipients, assignees or approvers of the case.

    In the decision on a report of concealment those whom it names too, so that they do not hear of the report.
    """
    against = builder.case.complaint.get("against")
    excluded = builder.rulebook.excluded_people(tuple(against)) if against else _NO_ACCUSED
    report = next((event.data for event in builder.events if event.type == "concealment_reported"), None)
    return excluded if report is None else excluded | _named_in_report(builder, report)


def _named_in_report(builder: DecisionBuilder, report: dict[str, Any]) -> frozenset[str]:
    """The people whom a report of concealment names, the heads of the units, and those who report to them."""
    # Whoever hid a complaint must not be the first to learn who reported it (quality-claims 7).
    units = (builder.rulebook.organisation.department(unit) for unit in report.get("units", ()))
    heads = (unit.head for unit in units if unit is not None and unit.head)
    return builder.rulebook.excluded_people((*report.get("persons", ()), *heads))


def role_holders(builder: DecisionBuilder, role: str, at: int, department: str | None = None) -> tuple[str, ...]:
    """The persons who hold a role for this case at an instant and are neither absent nor accused; those of its lead where none is given."""
    organisation = builder.rulebook.organisation
    unit = _lead_department(builder) if department is None else department
    return organisation.role_holders(role, unit, builder.worktime.to_datetime(at), accused(builder))


def reachable_role(builder: DecisionBuilder, role: str, at: int) -> str | None:
    """The role itself if it has a holder, else the nearest role above it that has one; None if there is none."""
    reachable = _reachable_role_and_holders(builder, role, at)
    return None if reachable is None else reachable[0]


def reachable_roles(builder: DecisionBuilder, roles: Sequence[str], at: int, departments: Sequence[str]) -> list[str]:
    """The roles that are reached in these departments: each itself, or the nearest role above it that has a holder there."""
    found = [_reachable_role_and_holders(builder, role, at, unit) for unit in departments for role in roles]
    return list(dict.fromkeys(reachable[0] for reachable in found if reachable is not None))


def notify_roles(builder: DecisionBuilder, at: int, roles: list[str], rule_fields: dict[str, Any], options: NotificationOptions) -> None:
    """Request a notification of the holders of these roles; vacant roles are left out."""
    holders = {role: () if role == COMPLAINANT_ROLE else role_holders(builder, role, at) for role in roles}
    recipients = [role for role in roles if role == COMPLAINANT_ROLE or holders[role]]
    request_notification(builder, at, recipients, [person for role in recipients for person in holders[role]], rule_fields, options)


def notify_roles_or_superiors(
    builder: DecisionBuilder,
    at: int,
    roles: list[str],
    rule_fields: dict[str, Any],
    options: NotificationOptions,
    departments: tuple[str, ...] | None = None,
) -> None:
    """Request a notification of each role, or of the nearest role above a vacant one; a role without either is `no_recipient`.

    With departments the role is searched in the line of each of them, without in that of the lead.
    """
    units = (_lead_department(builder),) if departments is None else departments
    searched = [(role, _reachable_role_and_holders(builder, role, at, unit)) for unit in units for role in roles]
    for role in dict.fromkeys(role for role, found in searched if found is None):
        report_no_recipient(builder, at, role, rule_fields)
    found = [recipient for _, recipient in searched if recipient is not None]
    persons = [person for _, holders in found for person in holders]
    request_notification(builder, at, list(dict.fromkeys(role for role, _ in found)), persons, rule_fields, options)


def named_departments(builder: DecisionBuilder, names: Sequence[str]) -> tuple[str, ...]:
    """The departments that an effect names: `lead`, each co-operating one, or those of the holders of a role."""
    case, lead = builder.case, _lead_department(builder)
    departments: list[str] = []
    for name in names:
        if name == LEAD:
            departments.append(lead)
        elif name == COOPERATING:
            departments += case.cooperating
        else:
            departments += builder.rulebook.organisation.departments_of_role(name, [lead, *case.cooperating])
    return tuple(dict.fromkeys(departments))


def request_notification(
    builder: DecisionBuilder, at: int, roles: list[str], persons: list[str], rule_fields: dict[str, Any], options: NotificationOptions
) -> None:
    """Add `notification_requested` for these roles and their holders, if there are any."""
    if not roles and not persons:
        return
    case = builder.case
    values = {**case_values(case), **options.values}
    data = {
        **rule_fields,
        # From the position in the ledger, so that a replay gives the same id.
        "notification": f"{case.id}-{case.sequence + 1}",
        "recipients": roles,
        "persons": list(dict.fromkeys(persons)),
        "by": options.by,
        "template": options.template or options.about,
        "about": options.about,
        "urgent": options.urgent,
    }
    if COMPLAINANT_ROLE in roles:
        # Whom the complainant can talk to; notify knows names and phones.
        values |= {"contact_person": _contact_person(builder, at), "source": case.complaint.get("source", "")}
        if case.complaint.get("contact"):
            data["contact"] = case.complaint["contact"]
    data["values"] = in_json(values, builder.worktime)
    builder.add_event("notification_requested", at, data)


def report_no_recipient(builder: DecisionBuilder, at: int, role: str, rule_fields: dict[str, Any], ladder_id: str = "") -> None:
    """Add `no_recipient` and request a notification of the organisation's fallback person."""
    fallback = builder.rulebook.organisation.fallback
    if fallback in accused(builder):
        fallback = None
    reason = f"no rung is left on the ladder {ladder_id}" if ladder_id else f"the role {role} has no holder"
    data = {**rule_fields, "role": role, "recipients": [fallback] if fallback else [], "ladder": ladder_id, "reason": reason}
    builder.add_event("no_recipient", at, data)
    if fallback:
        options = NotificationOptions(by=["sms", "email"], about="no_recipient", urgent=True)
        request_notification(builder, at, ["fallback"], [fallback], rule_fields, options)


def _contact_person(builder: DecisionBuilder, at: int) -> str:
    """The person who handles the case, else who is responsible for it; empty before one is known."""
    case = builder.case
    if builder.rulebook.organisation.person(case.handler) is not None and case.handler not in accused(builder):
        return case.handler
    if not case.department:
        return ""
    return next(iter(role_holders(builder, case.handler or case_owner(builder), at)), "")


def _lead_department(builder: DecisionBuilder) -> str:
    return builder.case.department or builder.case.proposed


def _reachable_role_and_holders(
    builder: DecisionBuilder, role: str, at: int, department: str | None = None
) -> tuple[str, tuple[str, ...]] | None:
    tried: list[str] = []
    candidate: str | None = role
    while candidate is not None and candidate not in tried:
        persons = () if candidate == COMPLAINANT_ROLE else role_holders(builder, candidate, at, department)
        if persons or candidate == COMPLAINANT_ROLE:
            return candidate, persons
        tried.append(candidate)
        candidate = builder.rulebook.organisation.role_above(candidate)
    return None
