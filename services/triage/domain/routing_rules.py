"""Where the rules may lead: every route of a procedure in an organisation, worked out before any complaint comes."""

from dataclasses import dataclass, replace
from typing import Any

from services.triage.domain.clause_fields import clause
from shared.procedures.expressions.matching import Expression, expression
from shared.procedures.model.bound_procedure import Bound
from shared.procedures.model.procedure import Subject
from shared.procedures.organisation import Organisation

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


@dataclass(frozen=True, slots=True)
class Way:
    """A route and when it applies; `undeclared` are facts that the condition reads and the procedure does not declare."""

    route: Route
    when: Expression | None
    undeclared: tuple[str, ...] = ()


def settled(found: Route | None, bound: Bound, organisation: Organisation) -> Route:
    """What is decided where a rule gives this route; one to a department that does not exist becomes a proposal of the catch-all."""
    catch_all = organisation.catch_all
    if found is None:
        return Route(catch_all, proposed=True, rule="catch_all", reason="no route applies")
    if not (organisation.everyone or not organisation.departments or organisation.department(found.department) is not None):
        return Route(catch_all, proposed=True, rule="catch_all", reason=f"{found.rule} names {found.department}, which does not exist")
    return found if bound.procedure.auto_route else replace(found, proposed=True, reason=_NOT_ALONE)


def of_sources(bound: Bound, organisation: Organisation) -> dict[str, Route]:
    """The routes of those sources whose cases all go to one department."""
    first = {source.id: source.department for source in reversed(organisation.sources)}
    return {name: settled(Route(department, rule="source"), bound, organisation) for name, department in first.items() if department}


def of_organisation(bound: Bound, organisation: Organisation) -> tuple[Way, ...]:
    """The organisation's own routes. They serve all its procedures: one on a parameter that this one lacks never applies."""
    ways = []
    for place, entry in enumerate(organisation.routing, start=1):
        route = Route(entry.department, tuple(entry.cooperating), rule=f"routing {place}", reason=entry.because)
        when = _condition(entry.when)
        paths = () if when is None else when.condition.paths
        if all(path[1] in bound.parameters for path in paths if path[0] == "parameters"):
            undeclared = tuple(path[1] for path in paths if path[0] == "facts" and path[1] not in bound.procedure.facts)
            ways.append(Way(settled(route, bound, organisation), when, undeclared))
    return tuple(ways)


def of_procedure(bound: Bound, organisation: Organisation) -> tuple[Way, ...]:
    """The procedure's routes."""
    ways = []
    for place, entry in enumerate(bound.procedure.routes, start=1):
        name, why = entry.id or f"routes {place}", tuple(clause(entry.clause).items())
        route = Route(entry.department, tuple(entry.cooperating), rule=name, clause=why)
        ways.append(Way(settled(route, bound, organisation), _condition(entry.when)))
    return tuple(ways)


def of_subject(entry: Subject, bound: Bound, organisation: Organisation) -> Route | None:
    """The route of what a complaint is about, if that node has one."""
    if not entry.department:
        return None
    route = Route(entry.department, rule=f"subject {entry.id}", clause=tuple(clause(entry.clause).items()))
    return settled(route, bound, organisation)


def _condition(source: str | None) -> Expression | None:
    return None if source is None else expression(source)
