"""Compiles the routes of a procedure in one organisation: which department leads under which condition."""

from collections.abc import Container
from dataclasses import dataclass, replace
from typing import Any

from services.triage.domain.clause_fields import clause_fields
from services.triage.domain.departments.working_departments import PassedOver
from shared.procedures.expressions.conditions import Condition, compile_condition
from shared.procedures.expressions.text_patterns import common_cues
from shared.procedures.model.bound_procedure import BoundProcedure
from shared.procedures.model.triage.entries import SubjectNode
from shared.procedures.organisation import Organisation

_AUTO_ROUTE_OFF = "a person routes (auto_route: false)"


@dataclass(frozen=True, slots=True)
class RoutingDecision:
    """The lead and the cooperating departments; `proposed` if a person has to confirm them, `reason` states why where it is not obvious."""

    department: str
    cooperating: tuple[str, ...] = ()
    proposed: bool = False
    rule: str = ""
    clause_fields: tuple[tuple[str, Any], ...] = ()
    reason: str = ""
    passed_over: tuple[PassedOver, ...] = ()


@dataclass(frozen=True, slots=True)
class RoutingRule:
    """A route and its condition; `undeclared_facts` are facts that the condition reads and the procedure does not declare."""

    route: RoutingDecision
    when: Condition | None
    undeclared_facts: tuple[str, ...] = ()


def checked_route(route: RoutingDecision | None, bound_procedure: BoundProcedure, organisation: Organisation) -> RoutingDecision:
    """The decision for a rule's route; no route, or a route to an unknown department, becomes a proposal of the catch-all department."""
    catch_all = organisation.catch_all
    if route is None:
        return RoutingDecision(catch_all, proposed=True, rule="catch_all", reason="no route applies")
    if not _department_exists(organisation, route.department):
        return RoutingDecision(
            catch_all, proposed=True, rule="catch_all", reason=f"{route.rule} names {route.department}, which does not exist"
        )
    return route if bound_procedure.procedure.auto_route else replace(route, proposed=True, reason=_AUTO_ROUTE_OFF)


def _department_exists(organisation: Organisation, department: str) -> bool:
    """Whether a route may name the department; an organisation that declares no departments (or `everyone`) accepts every id."""
    return organisation.everyone or not organisation.departments or organisation.department(department) is not None


def source_routes(bound_procedure: BoundProcedure, organisation: Organisation) -> dict[str, RoutingDecision]:
    """Source id → route, for sources whose cases all go to one department."""
    # Reversed, so that the first of two sources with the same id wins.
    departments = {source.id: source.department for source in reversed(organisation.sources)}
    return {
        source_id: checked_route(RoutingDecision(department, rule="source"), bound_procedure, organisation)
        for source_id, department in departments.items()
        if department
    }


def organisation_rules(bound_procedure: BoundProcedure, organisation: Organisation) -> tuple[RoutingRule, ...]:
    """The organisation's own routes, without those whose condition reads a parameter or pattern that this procedure does not have."""
    rules = []
    declared: dict[str, Container[str]] = {
        "parameters": bound_procedure.parameters,
        "says": {*common_cues().patterns, *organisation.patterns, *bound_procedure.procedure.patterns},
    }
    for number, entry in enumerate(organisation.routing, start=1):
        route = RoutingDecision(entry.department, tuple(entry.cooperating), rule=f"routing {number}", reason=entry.because)
        when = optional_condition(entry.when)
        paths = () if when is None else when.paths
        if all(path[1] in declared[path[0]] for path in paths if path[0] in declared):
            undeclared = tuple(path[1] for path in paths if path[0] == "facts" and path[1] not in bound_procedure.procedure.facts)
            rules.append(RoutingRule(checked_route(route, bound_procedure, organisation), when, undeclared))
    return tuple(rules)


def procedure_rules(bound_procedure: BoundProcedure, organisation: Organisation) -> tuple[RoutingRule, ...]:
    """The procedure's routes."""
    rules = []
    for number, entry in enumerate(bound_procedure.procedure.routes, start=1):
        route = RoutingDecision(
            entry.department,
            tuple(entry.cooperating),
            rule=entry.id or f"routes {number}",
            clause_fields=tuple(clause_fields(entry.clause).items()),
        )
        rules.append(RoutingRule(checked_route(route, bound_procedure, organisation), optional_condition(entry.when)))
    return tuple(rules)


def subject_route(entry: SubjectNode, bound_procedure: BoundProcedure, organisation: Organisation) -> RoutingDecision | None:
    """The route of a node of the subject tree, None if it names no department."""
    if not entry.department:
        return None
    route = RoutingDecision(entry.department, rule=f"subject {entry.id}", clause_fields=tuple(clause_fields(entry.clause).items()))
    return checked_route(route, bound_procedure, organisation)


def optional_condition(source: str | None) -> Condition | None:
    """A condition, None for an entry without one; raises `ValueError` for a syntax error."""
    return None if source is None else compile_condition(source)
