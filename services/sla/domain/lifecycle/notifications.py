"""Telling people: who is reached for a role, and the request that notify carries out."""

from __future__ import annotations

from typing import Any

from services.sla.domain.lifecycle.decision_builder import Draft
from shared.procedures.model.effects import Roles

COMPLAINANT = "complainant"
_NOBODY: frozenset[str] = frozenset()


def owner(draft: Draft) -> str:
    """The role that has to act on the case: who has taken it over, else the first of the procedure's owners that somebody holds."""
    return draft.case.owner or first_held(draft, draft.rulebook.owners)


def first_held(draft: Draft, roles: Roles) -> str:
    """Of several roles the first that somebody holds for this case; a single one as it is."""
    if isinstance(roles, str) or len(roles) == 1:
        return roles if isinstance(roles, str) else roles[0]
    case = draft.case
    at = draft.worktime.instant(draft.now)
    return draft.rulebook.organisation.first_held(roles, case.department or case.proposed, at, accused(draft))


def accused(draft: Draft) -> frozenset[str]:
    """The people and units complained about."""
    against = draft.case.complaint.get("against")
    return frozenset(against) if against else _NOBODY


def holders(draft: Draft, role: str, at: int) -> tuple[str, ...]:
    """Who holds a role for this case then; nobody if it is vacant, or only the absent and the accused hold it."""
    organisation = draft.rulebook.organisation
    department = draft.case.department or draft.case.proposed
    return organisation.holders(role, department, draft.worktime.instant(at), accused(draft))


def reached(draft: Draft, role: str, at: int) -> str | None:
    """The role itself if somebody holds it, else the first one above it that somebody holds; None if nobody is left."""
    found = _reached(draft, role, at)
    return None if found is None else found[0]


def _reached(draft: Draft, role: str, at: int) -> tuple[str, tuple[str, ...]] | None:
    """Likewise, with who holds it."""
    seen: list[str] = []
    climbing: str | None = role
    while climbing is not None and climbing not in seen:
        persons = () if climbing == COMPLAINANT else holders(draft, climbing, at)
        if persons or climbing == COMPLAINANT:
            return climbing, persons
        seen.append(climbing)
        climbing = draft.rulebook.organisation.above(climbing)
    return None


def request(draft: Draft, at: int, roles: list[str], because: dict[str, Any], message: dict[str, Any]) -> None:
    """Ask notify to tell the holders of roles.

    `message` gives `by` (channels), `about` (the event that asks), and perhaps `template`, `urgent`, `clock`, `due_at`.
    """
    held = {role: () if role == COMPLAINANT else holders(draft, role, at) for role in roles}
    told = [role for role in roles if role == COMPLAINANT or held[role]]
    send(draft, at, told, [person for role in told for person in held[role]], because, message)


def send(draft: Draft, at: int, told: list[str], persons: list[str], because: dict[str, Any], message: dict[str, Any]) -> None:
    """Ask notify to tell these roles, held by these persons."""
    if not told and not persons:
        return
    case = draft.case
    data = {
        **because,
        "notification": f"{case.id}-{case.sequence + 1}",
        "recipients": told,
        "persons": list(dict.fromkeys(persons)),
        "by": message["by"],
        "template": message.get("template") or message["about"],
        "about": message["about"],
        "urgent": message.get("urgent", False),
        "values": {"number": case.number, "class": case.class_, "department": case.department, **message.get("values", {})},
    }
    for name in ("clock", "due_at"):
        if message.get(name) is not None:
            data["values"][name] = draft.worktime.instant(message[name]).isoformat() if name == "due_at" else message[name]
    if COMPLAINANT in told and case.complaint.get("contact"):
        data["contact"] = case.complaint["contact"]
    draft.add("notification_requested", at, data)


def unreached(draft: Draft, at: int, role: str, because: dict[str, Any], ladder: str = "") -> None:
    """Nobody is left to tell: say so, and tell the organisation's fallback."""
    fallback = draft.rulebook.organisation.fallback
    reason = f"nobody is left on the ladder {ladder}" if ladder else f"nobody holds {role}"
    data = {**because, "role": role, "recipients": [fallback] if fallback else [], "ladder": ladder, "reason": reason}
    draft.add("no_recipient", at, data)
    if fallback:
        send(draft, at, ["fallback"], [fallback], because, {"by": ["sms", "email"], "about": "no_recipient", "urgent": True})


def tell(draft: Draft, at: int, roles: list[str], because: dict[str, Any], message: dict[str, Any]) -> list[str]:
    """Tell each role, or whoever stands above a vacant one; gives the roles that were told."""
    found = {role: _reached(draft, role, at) for role in roles}
    for role, answer in found.items():
        if answer is None:
            unreached(draft, at, role, because)
    told = dict(answer for answer in found.values() if answer is not None)
    if told:
        send(draft, at, [*told], [person for persons in told.values() for person in persons], because, message)
    return [*told]
