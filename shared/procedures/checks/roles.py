"""Roles: every one that an entry names is declared, and somebody holds it."""

from collections.abc import Iterator
from datetime import UTC, datetime

from shared.procedures.model.effects import Assign, Escalate, Notify, Remind, names
from shared.procedures.model.entry_list import Way, inventory
from shared.procedures.model.finding import Finding
from shared.procedures.model.procedure import ActionRule, Confidentiality, Form, Ownership, Procedure
from shared.procedures.model.selectors import Entry
from shared.procedures.model.timed_entries import Clock, Duty, Ladder, WhoOf
from shared.procedures.organisation import Organisation

EVERYWHERE = frozenset({"complainant", "system", "owner"})
"""Roles that need no declaration; `owner` is the head of the department responsible."""
_ACTING = frozenset({"triage"})
_IMPLIED = EVERYWHERE | {"handler"}
"""Roles that have a part without being named: a handler is whoever is assigned."""


def known_roles(procedure: Procedure) -> frozenset[str]:
    """The roles that may be named."""
    return frozenset(procedure.role_names) | EVERYWHERE | _ACTING


def uses(procedure: Procedure) -> Iterator[tuple[Way, str]]:
    """Every place that names a role, and the role."""
    ladders = {ladder.id for ladder in procedure.ladders}
    for place, role in enumerate(procedure.levels):
        yield ("levels", place), role
    for item in inventory(procedure):
        found = _named(item.entry)
        yield from ((item.way, role) for role in found if role not in ladders or not isinstance(item.entry, Escalate))


def _named(entry: Entry) -> tuple[str, ...]:
    match entry:
        case Clock():
            return () if isinstance(entry.owner, WhoOf) else names(entry.owner)
        case Remind():
            return names(entry.remind)
        case Notify():
            return names(entry.notify)
        case Escalate():
            return (entry.escalate,)
        case Assign():
            return (entry.assign,)
        case Duty():
            return (entry.owner,)
        case Ladder():
            return tuple(role for rung in entry.rungs for role in names(rung))
        case Form():
            return tuple(entry.signed_by)
        case Confidentiality():
            return tuple(entry.visible_to)
        case Ownership():
            return names(entry.role) if entry.role else ()
        case ActionRule():
            return names(entry.by) if entry.by else ()
    return ()


def check(procedure: Procedure) -> Iterator[Finding]:
    """Roles that are named but not declared, and declared but never named."""
    known = known_roles(procedure)
    named = dict.fromkeys(role for _, role in uses(procedure))
    for way, role in uses(procedure):
        if role not in known:
            yield Finding(way, f"the role {role} is not declared; add it under roles, or use one of {', '.join(sorted(known))}")
    texts = " ".join(expression for expression in _conditions(procedure))
    for role in procedure.role_names:
        if role not in named and role not in _IMPLIED and f"'{role}'" not in texts and f'"{role}"' not in texts:
            yield Finding(("roles", role), f"the role {role} is declared, but no entry names it; leave it out or give it a part", "warning")


def held(procedure: Procedure, organisation: Organisation) -> Iterator[Finding]:
    """Roles that entries name and nobody holds: an error where the line upward and the fallback are empty too."""
    for role in dict.fromkeys(role for _, role in uses(procedure)):
        if role in ("complainant", "system") or _somebody(organisation, role):
            continue
        way = next(way for way, used in uses(procedure) if used == role)
        if _anyone_above(organisation, role):
            message = f"nobody holds the role {role}; what is put before it goes up the line. Name a person in the organisation file"
            yield Finding(way, message, "warning")
        else:
            yield Finding(way, f"nobody holds the role {role}, nor any above it; name a person or a fallback in the organisation file")


def _somebody(organisation: Organisation, role: str) -> bool:
    departments = ["", *(department.id for department in organisation.departments)]
    moment = datetime(1970, 1, 1, tzinfo=UTC)
    return any(organisation.holders(role, department, moment) for department in departments)


def _anyone_above(organisation: Organisation, role: str) -> bool:
    seen, above = {role}, organisation.above(role)
    while above is not None and above not in seen:
        if _somebody(organisation, above):
            return True
        seen.add(above)
        above = organisation.above(above)
    return organisation.fallback is not None


def _conditions(procedure: Procedure) -> Iterator[str]:
    for item in inventory(procedure):
        for name in ("when", "requires", "needs_sign_off"):
            yield str(getattr(item.entry, name, None) or "")
        for name in ("starts", "stops", "restarts", "on"):
            yield str(getattr(item.entry, name, None) or "")
