"""Checks roles: each role that an entry names is declared, and a person of the organisation holds it."""

from collections.abc import Iterator

from shared.contracts.base import StrictModel
from shared.contracts.events.empty_fields import EPOCH
from shared.procedures.model.actions.action_rules import ActionRule
from shared.procedures.model.effects import CASE_DEPARTMENTS, AssignHandler, Escalate, MessageEffect, Notify, Remind, role_tuple
from shared.procedures.model.entry_list import YamlPath, all_entries
from shared.procedures.model.finding import Finding
from shared.procedures.model.form_layout.layout import FormEntry
from shared.procedures.model.procedure import ConfidentialityRule, OwnershipRule, Procedure
from shared.procedures.model.timed_entries import ActorOfEvent, ClockEntry, EscalationLadder, PeriodicDuty
from shared.procedures.organisation import Organisation

BUILT_IN_ROLES = frozenset({"complainant", "system", "owner"})
"""Roles that need no declaration; `owner` is the head of the responsible department."""
_ACTING_ONLY_ROLES = frozenset({"triage"})  # conditions read it in event.role; no person holds it
_IMPLICIT_ROLES = BUILT_IN_ROLES | {"handler"}
"""Roles that need no mention in an entry: the handler is the person who is assigned."""


def known_roles(procedure: Procedure) -> frozenset[str]:
    """The roles that entries may name."""
    return frozenset(procedure.role_names) | BUILT_IN_ROLES | _ACTING_ONLY_ROLES


def role_uses(procedure: Procedure) -> Iterator[tuple[YamlPath, str]]:
    """Each path at which a role is named, with the role."""
    ladders = {ladder.id for ladder in procedure.ladders}
    for index, role in enumerate(procedure.levels):
        yield ("levels", index), role
    for located in all_entries(procedure):
        names_ladder = isinstance(located.entry, Escalate) and located.entry.escalate in ladders
        if not names_ladder:
            yield from ((located.yaml_path, role) for role in _roles_of(located.entry))


def _roles_of(entry: StrictModel) -> tuple[str, ...]:
    match entry:
        case ClockEntry():
            return () if isinstance(entry.owner, ActorOfEvent) else role_tuple(entry.owner)
        case Remind():
            return (*role_tuple(entry.remind), *_roles_of_departments(entry))
        case Notify():
            return (*role_tuple(entry.notify), *_roles_of_departments(entry))
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
            closes = entry.call_back.closes if entry.call_back else None
            return (*(role_tuple(entry.by) if entry.by else ()), *(role_tuple(closes) if closes else ()))
    return ()


def _roles_of_departments(effect: MessageEffect) -> tuple[str, ...]:
    return tuple(name for name in effect.departments if name not in CASE_DEPARTMENTS)


def check_roles(procedure: Procedure) -> Iterator[Finding]:
    """Findings for roles that are named but not declared, and for roles that are declared but not named."""
    known = known_roles(procedure)
    named = {role for _, role in role_uses(procedure)}
    for yaml_path, role in role_uses(procedure):
        if role not in known:
            yield Finding(yaml_path, f"the role {role} is not declared; add it under roles, or use one of {', '.join(sorted(known))}")
    conditions = " ".join(_conditions(procedure))
    for role in procedure.role_names:
        if role not in named and role not in _IMPLICIT_ROLES and f"'{role}'" not in conditions and f'"{role}"' not in conditions:
            yield Finding(("roles", role), f"the role {role} is declared, but no entry names it; remove it or name it", "warning")


def check_vacant_roles(procedure: Procedure, organisation: Organisation) -> Iterator[Finding]:
    """Findings for roles without a holder: an error if no role above it has one either and no fallback person is set, else a warning."""
    first_use: dict[str, YamlPath] = {}
    for yaml_path, role in role_uses(procedure):
        first_use.setdefault(role, yaml_path)
    for role, yaml_path in first_use.items():
        if role in ("complainant", "system") or _is_held(organisation, role):
            continue
        if _is_held_above(organisation, role):
            message = f"no person holds the role {role}, so the role above it acts; give the role to a person in the organisation file"
            yield Finding(yaml_path, message, "warning")
        else:
            message = f"no person holds the role {role} or a role above it; name a person or a fallback in the organisation file"
            yield Finding(yaml_path, message)


def _is_held(organisation: Organisation, role: str) -> bool:
    departments = ["", *(department.id for department in organisation.departments)]
    # Absences do not count: a role whose holder is on leave is not vacant.
    return any(organisation.role_holders(role, department, EPOCH) for department in departments)


def _is_held_above(organisation: Organisation, role: str) -> bool:
    visited, above = {role}, organisation.role_above(role)
    while above is not None and above not in visited:
        if _is_held(organisation, above):
            return True
        visited.add(above)
        above = organisation.role_above(above)
    return organisation.fallback is not None


def _conditions(procedure: Procedure) -> Iterator[str]:
    """All texts of a procedure that may contain a condition; selectors as a whole."""
    for located in all_entries(procedure):
        for name in ("when", "requires", "needs_sign_off", "starts", "stops", "restarts", "on"):
            yield str(getattr(located.entry, name, None) or "")
