"""Roles: every one that an entry names is declared, and somebody holds it."""

from collections.abc import Iterator
from datetime import UTC, datetime

from shared.contracts.base import StrictModel
from shared.procedures.model.effects import AssignHandler, Escalate, Notify, Remind, role_tuple
from shared.procedures.model.entry_list import YamlPath, all_entries
from shared.procedures.model.finding import Finding
from shared.procedures.model.procedure import ActionRule, ConfidentialityRule, FormEntry, OwnershipRule, Procedure
from shared.procedures.model.timed_entries import ActorOfEvent, ClockEntry, EscalationLadder, PeriodicDuty
from shared.procedures.organisation import Organisation

BUILT_IN_ROLES = frozenset({"complainant", "system", "owner"})
"""Roles that need no declaration; `owner` is the head of the department responsible."""
_ACTING_ONLY_ROLES = frozenset({"triage"})
_IMPLICIT_ROLES = BUILT_IN_ROLES | {"handler"}
"""Roles that have a part without being named: a handler is whoever is assigned."""


def known_roles(procedure: Procedure) -> frozenset[str]:
    """The roles that may be named."""
    return frozenset(procedure.role_names) | BUILT_IN_ROLES | _ACTING_ONLY_ROLES


def role_uses(procedure: Procedure) -> Iterator[tuple[YamlPath, str]]:
    """Every place that names a role, and the role."""
    ladders = {ladder.id for ladder in procedure.ladders}
    for place, role in enumerate(procedure.levels):
        yield ("levels", place), role
    for item in all_entries(procedure):
        found = _roles_of(item.entry)
        yield from ((item.yaml_path, role) for role in found if role not in ladders or not isinstance(item.entry, Escalate))


def _roles_of(entry: StrictModel) -> tuple[str, ...]:
    match entry:
        case ClockEntry():
            return () if isinstance(entry.owner, ActorOfEvent) else role_tuple(entry.owner)
        case Remind():
            return role_tuple(entry.remind)
        case Notify():
            return role_tuple(entry.notify)
        case Escalate():
            return (entry.escalate,)
        case AssignHandler():
            return (entry.assign,)
        case PeriodicDuty():
            return (entry.owner,)
        case EscalationLadder():
            return tuple(role for rung in entry.rungs for role in role_tuple(rung))
        case FormEntry():
            return tuple(entry.signed_by)
        case ConfidentialityRule():
            return tuple(entry.visible_to)
        case OwnershipRule():
            return role_tuple(entry.role) if entry.role else ()
        case ActionRule():
            return role_tuple(entry.by) if entry.by else ()
    return ()


def check_roles(procedure: Procedure) -> Iterator[Finding]:
    """Roles that are named but not declared, and declared but never named."""
    known = known_roles(procedure)
    named = dict.fromkeys(role for _, role in role_uses(procedure))
    for way, role in role_uses(procedure):
        if role not in known:
            yield Finding(way, f"the role {role} is not declared; add it under roles, or use one of {', '.join(sorted(known))}")
    texts = " ".join(expression for expression in _condition_texts(procedure))
    for role in procedure.role_names:
        if role not in named and role not in _IMPLICIT_ROLES and f"'{role}'" not in texts and f'"{role}"' not in texts:
            yield Finding(("roles", role), f"the role {role} is declared, but no entry names it; leave it out or give it a part", "warning")


def check_vacant_roles(procedure: Procedure, organisation: Organisation) -> Iterator[Finding]:
    """Roles that entries name and nobody holds: an error where the line upward and the fallback are empty too."""
    for role in dict.fromkeys(role for _, role in role_uses(procedure)):
        if role in ("complainant", "system") or _is_held(organisation, role):
            continue
        way = next(way for way, used in role_uses(procedure) if used == role)
        if _is_held_above(organisation, role):
            message = f"nobody holds the role {role}; what is put before it goes up the line. Name a person in the organisation file"
            yield Finding(way, message, "warning")
        else:
            yield Finding(way, f"nobody holds the role {role}, nor any above it; name a person or a fallback in the organisation file")


def _is_held(organisation: Organisation, role: str) -> bool:
    departments = ["", *(department.id for department in organisation.departments)]
    moment = datetime(1970, 1, 1, tzinfo=UTC)
    return any(organisation.role_holders(role, department, moment) for department in departments)


def _is_held_above(organisation: Organisation, role: str) -> bool:
    seen, above = {role}, organisation.role_above(role)
    while above is not None and above not in seen:
        if _is_held(organisation, above):
            return True
        seen.add(above)
        above = organisation.role_above(above)
    return organisation.fallback is not None


def _condition_texts(procedure: Procedure) -> Iterator[str]:
    for item in all_entries(procedure):
        for name in ("when", "requires", "needs_sign_off"):
            yield str(getattr(item.entry, name, None) or "")
        for name in ("starts", "stops", "restarts", "on"):
            yield str(getattr(item.entry, name, None) or "")
