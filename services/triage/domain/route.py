"""Which department leads and which co-operate: source, organisation, procedure, subject, and last the catch-all."""

from dataclasses import dataclass
from typing import Any

from services.triage.domain.classify import Chosen
from services.triage.domain.plan import Plan, clause
from services.triage.domain.scope import Scope
from shared.procedures.model import Subject

_NOT_ALONE = "a person routes (auto_route: false)"


@dataclass(frozen=True, slots=True)
class Route:
    """A decision on departments: `proposed` where a person has to confirm it, `reason` where that needs words."""

    department: str
    cooperating: tuple[str, ...] = ()
    proposed: bool = False
    rule: str = ""
    clause: tuple[tuple[str, Any], ...] = ()
    reason: str = ""


def route(plan: Plan, scope: Scope, subject: Chosen) -> Route:
    """The first route that applies; one to a department that does not exist becomes a proposal of the catch-all."""
    found = _of_source(plan, scope) or _of_organisation(plan, scope) or _of_procedure(plan, scope) or _of_subject(subject)
    catch_all = plan.organisation.catch_all
    if found is None:
        return Route(catch_all, proposed=True, rule="catch_all", reason="no route applies")
    if not _exists(plan, found.department):
        return Route(catch_all, proposed=True, rule="catch_all", reason=f"{found.rule} names {found.department}, which does not exist")
    if not plan.procedure.auto_route:
        return Route(found.department, found.cooperating, proposed=True, rule=found.rule, clause=found.clause, reason=_NOT_ALONE)
    return found


def _exists(plan: Plan, department: str) -> bool:
    organisation = plan.organisation
    return organisation.everyone or not organisation.departments or organisation.department(department) is not None


def _of_source(plan: Plan, scope: Scope) -> Route | None:
    source = plan.organisation.source(scope.complaint.source)
    return Route(source.department, rule="source") if source is not None and source.department else None


def _of_organisation(plan: Plan, scope: Scope) -> Route | None:
    for place, rule in enumerate(plan.routing, start=1):
        entry = rule.entry
        # An organisation's routing serves all its procedures: a condition on a fact that this one lacks does not apply.
        if rule.when is None or (scope.knows(rule.when) and scope.holds(rule.when)):
            return Route(entry.department, tuple(entry.cooperating), rule=f"routing {place}", reason=entry.because)
    return None


def _of_procedure(plan: Plan, scope: Scope) -> Route | None:
    for place, rule in enumerate(plan.routes, start=1):
        entry = rule.entry
        if rule.when is None or scope.holds(rule.when):
            name = entry.id or f"routes {place}"
            return Route(entry.department, tuple(entry.cooperating), rule=name, clause=tuple(clause(entry.clause).items()))
    return None


def _of_subject(subject: Chosen) -> Route | None:
    entry = subject.entry
    if not isinstance(entry, Subject) or not entry.department:
        return None
    return Route(entry.department, rule=f"subject {entry.id}", clause=tuple(clause(entry.clause).items()))
