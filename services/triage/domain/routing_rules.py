"""Where the rules may lead: every route of a procedure in an organisation, worked out before any complaint comes."""

from dataclasses import dataclass, replace
from typing import Any

from services.triage.domain.clause_fields import clause_fields
from shared.procedures.expressions.conditions import Condition, compile_condition
from shared.procedures.model.bound_procedure import BoundProcedure
from shared.procedures.model.procedure import SubjectNode
from shared.procedures.organisation import Organisation

_AUTO_ROUTE_OFF = "a person routes (auto_route: false)"


@dataclass(frozen=True, slots=True)
class RoutingDecision:
    """A decision on departments: `proposed` where a person has to confirm it, `reason` where that needs words."""

    department: str
    cooperating: tuple[str, ...] = ()
    proposed: bool = False
    rule: str = ""
    clause_fields: tuple[tuple[str, Any], ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RoutingRule:
    """A route and when it applies; `undeclared` are facts that the condition reads and the procedure does not declare."""

    route: RoutingDecision
    when: Condition | None
    undeclared_facts: tuple[str, ...] = ()


def checked_route(route: RoutingDecision | None, bound_procedure: BoundProcedure, organisation: Organisation) -> RoutingDecision:
    """What is decided where a rule gives this route; one to a department that does not exist becomes a proposal of the catch-all."""
    catch_all = organisation.catch_all
    if route is None:
        return RoutingDecision(catch_all, proposed=True, rule="catch_all", reason="no route applies")
    if not (organisation.everyone or not organisation.departments or organisation.department(route.department) is not None):
        return RoutingDecision(
            catch_all, proposed=True, rule="catch_all", reason=f"{route.rule} names {route.department}, which does not exist"
        )
    return route if bound_procedure.procedure.auto_route else replace(route, proposed=True, reason=_AUTO_ROUTE_OFF)


def source_routes(bound_procedure: BoundProcedure, organisation: Organisation) -> dict[str, RoutingDecision]:
    """The routes of those sources whose cases all go to one department."""
    first = {source.id: source.department for source in reversed(organisation.sources)}
    return {
        name: checked_route(RoutingDecision(department, rule="source"), bound_procedure, organisation)
        for name, department in first.items()
        if department
    }


def organisation_rules(bound_procedure: BoundProcedure, organisation: Organisation) -> tuple[RoutingRule, ...]:
    """The organisation's own routes. They serve all its procedures: one on a parameter that this one lacks never applies."""
    ways = []
    for place, entry in enumerate(organisation.routing, start=1):
        route = RoutingDecision(entry.department, tuple(entry.cooperating), rule=f"routing {place}", reason=entry.because)
        when = _condition(entry.when)
        paths = () if when is None else when.paths
        if all(path[1] in bound_procedure.parameters for path in paths if path[0] == "parameters"):
            undeclared = tuple(path[1] for path in paths if path[0] == "facts" and path[1] not in bound_procedure.procedure.facts)
            ways.append(RoutingRule(checked_route(route, bound_procedure, organisation), when, undeclared))
    return tuple(ways)


def procedure_rules(bound_procedure: BoundProcedure, organisation: Organisation) -> tuple[RoutingRule, ...]:
    """The procedure's routes."""
    ways = []
    for place, entry in enumerate(bound_procedure.procedure.routes, start=1):
        name, why = entry.id or f"routes {place}", tuple(clause_fields(entry.clause).items())
        route = RoutingDecision(entry.department, tuple(entry.cooperating), rule=name, clause_fields=why)
        ways.append(RoutingRule(checked_route(route, bound_procedure, organisation), _condition(entry.when)))
    return tuple(ways)


def subject_route(entry: SubjectNode, bound_procedure: BoundProcedure, organisation: Organisation) -> RoutingDecision | None:
    """The route of what a complaint is about, if that node has one."""
    if not entry.department:
        return None
    route = RoutingDecision(entry.department, rule=f"subject {entry.id}", clause_fields=tuple(clause_fields(entry.clause).items()))
    return checked_route(route, bound_procedure, organisation)


def _condition(source: str | None) -> Condition | None:
    return None if source is None else compile_condition(source)
