"""Telling people: who is reached for a role, and the request that notify carries out."""

from __future__ import annotations

from typing import Any

from services.sla.domain.lifecycle.decision_builder import DecisionBuilder
from shared.procedures.model.effects import RoleNames
from shared.procedures.model.timed_entries import ClockEntry

COMPLAINANT_ROLE = "complainant"
_NO_ACCUSED: frozenset[str] = frozenset()
_INSTANT_VALUES = frozenset({"started_at", "due_at"})
"""Values of templates that are instants in microseconds."""


def title_values(zh: str, en: str) -> dict[str, Any]:
    """The title of an entry, as values of a template; absent where the procedure gives none."""
    return {name: title for name, title in (("title", zh), ("title_en", en)) if title}


def clock_values(clock: ClockEntry, started_at: int, due_at: int | None, *, overdue: bool) -> dict[str, Any]:
    """What a message states of a round of a clock, as values of a template; instants in microseconds."""
    values = {"clock": clock.id, "started_at": started_at, **title_values(clock.zh, clock.en)}
    if due_at is not None:
        values["due_at"] = due_at
    return {**values, "overdue": True} if overdue else values


def case_owner(builder: DecisionBuilder) -> str:
    """The role that has to act on the case: who has taken it over, else the first of the procedure's owners that somebody holds."""
    return builder.case.owner or first_held_role(builder, builder.rulebook.owner_roles)


def first_held_role(builder: DecisionBuilder, roles: RoleNames) -> str:
    """Of several roles the first that somebody holds for this case; a single one as it is."""
    if isinstance(roles, str) or len(roles) == 1:
        return roles if isinstance(roles, str) else roles[0]
    case = builder.case
    at = builder.worktime.to_datetime(builder.now)
    return builder.rulebook.organisation.first_held_role(roles, case.department or case.proposed, at, accused(builder))


def accused(builder: DecisionBuilder) -> frozenset[str]:
    """The people and units complained about."""
    against = builder.case.complaint.get("against")
    return frozenset(against) if against else _NO_ACCUSED


def role_holders(builder: DecisionBuilder, role: str, at: int) -> tuple[str, ...]:
    """Who holds a role for this case then; nobody if it is vacant, or only the absent and the accused hold it."""
    organisation = builder.rulebook.organisation
    department = builder.case.department or builder.case.proposed
    return organisation.role_holders(role, department, builder.worktime.to_datetime(at), accused(builder))


def reachable_role(builder: DecisionBuilder, role: str, at: int) -> str | None:
    """The role itself if somebody holds it, else the first one above it that somebody holds; None if nobody is left."""
    found = _reachable_role_and_holders(builder, role, at)
    return None if found is None else found[0]


def _reachable_role_and_holders(draft: DecisionBuilder, role: str, at: int) -> tuple[str, tuple[str, ...]] | None:
    """Likewise, with who holds it."""
    seen: list[str] = []
    climbing: str | None = role
    while climbing is not None and climbing not in seen:
        persons = () if climbing == COMPLAINANT_ROLE else role_holders(draft, climbing, at)
        if persons or climbing == COMPLAINANT_ROLE:
            return climbing, persons
        seen.append(climbing)
        climbing = draft.rulebook.organisation.role_above(climbing)
    return None


def notify_roles(builder: DecisionBuilder, at: int, roles: list[str], rule_fields: dict[str, Any], message: dict[str, Any]) -> None:
    """Ask notify to tell the holders of roles.

    `message` gives `by` (channels), `about` (the event that asks), and perhaps `template`, `urgent`, `values` (of the template).
    """
    held = {role: () if role == COMPLAINANT_ROLE else role_holders(builder, role, at) for role in roles}
    told = [role for role in roles if role == COMPLAINANT_ROLE or held[role]]
    request_notification(builder, at, told, [person for role in told for person in held[role]], rule_fields, message)


def request_notification(
    builder: DecisionBuilder, at: int, roles: list[str], persons: list[str], rule_fields: dict[str, Any], message: dict[str, Any]
) -> None:
    """Ask notify to tell these roles, held by these persons."""
    if not roles and not persons:
        return
    case = builder.case
    data = {
        **rule_fields,
        "notification": f"{case.id}-{case.sequence + 1}",
        "recipients": roles,
        "persons": list(dict.fromkeys(persons)),
        "by": message["by"],
        "template": message.get("template") or message["about"],
        "about": message["about"],
        "urgent": message.get("urgent", False),
        "values": {
            "number": case.number,
            "class": case.class_,
            "department": case.department,
            # A template reads JSON: instants are text there, with the offset of the calendar's zone.
            **{
                name: builder.worktime.to_datetime(value).isoformat() if name in _INSTANT_VALUES else value
                for name, value in message.get("values", {}).items()
            },
        },
    }
    if COMPLAINANT_ROLE in roles and case.complaint.get("contact"):
        data["contact"] = case.complaint["contact"]
    builder.add_event("notification_requested", at, data)


def report_no_recipient(builder: DecisionBuilder, at: int, role: str, rule_fields: dict[str, Any], ladder_id: str = "") -> None:
    """Nobody is left to tell: say so, and tell the organisation's fallback."""
    fallback = builder.rulebook.organisation.fallback
    reason = f"nobody is left on the ladder {ladder_id}" if ladder_id else f"nobody holds {role}"
    data = {**rule_fields, "role": role, "recipients": [fallback] if fallback else [], "ladder": ladder_id, "reason": reason}
    builder.add_event("no_recipient", at, data)
    if fallback:
        request_notification(
            builder, at, ["fallback"], [fallback], rule_fields, {"by": ["sms", "email"], "about": "no_recipient", "urgent": True}
        )


def notify_roles_or_superiors(
    builder: DecisionBuilder, at: int, roles: list[str], rule_fields: dict[str, Any], message: dict[str, Any]
) -> list[str]:
    """Tell each role, or whoever stands above a vacant one; gives the roles that were told."""
    found = {role: _reachable_role_and_holders(builder, role, at) for role in roles}
    for role, answer in found.items():
        if answer is None:
            report_no_recipient(builder, at, role, rule_fields)
    told = dict(answer for answer in found.values() if answer is not None)
    if told:
        request_notification(builder, at, [*told], [person for persons in told.values() for person in persons], rule_fields, message)
    return [*told]
