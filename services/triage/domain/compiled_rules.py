"""A procedure's triage rules with their conditions compiled once, and every name that they read."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from services.triage.domain.routing_rules import (
    RoutingDecision,
    RoutingRule,
    checked_route,
    organisation_rules,
    procedure_rules,
    source_routes,
)
from shared.procedures.expressions.conditions import ROOT_VARIABLES, Condition, NamePath, compile_condition
from shared.procedures.model.bound_procedure import BoundProcedure
from shared.procedures.model.facts import fact_defaults
from shared.procedures.model.procedure import ClassRule, CountEntry, DerivationEntry, KindRule, Procedure, SubjectNode
from shared.procedures.organisation import Organisation

E_co = TypeVar("E_co", covariant=True)


@dataclass(frozen=True, slots=True)
class CompiledRule(Generic[E_co]):
    """An entry and its compiled condition; without one it always holds."""

    entry: E_co
    when: Condition | None


@dataclass(frozen=True, slots=True)
class CompiledCount:
    """A counting entry with its key and condition."""

    entry: CountEntry
    key: Condition
    when: Condition | None


@dataclass(frozen=True, slots=True)
class TriageRules:
    """All that triage does under one procedure in one organisation, in order.

    `facts` are the declared facts with their defaults; `sources`, `ways` and `catch_all` are the routes, in this order;
    `reads` are the paths that all conditions read, by root.
    """

    bound_procedure: BoundProcedure
    organisation: Organisation
    fact_defaults: dict[str, Any]
    derived: tuple[CompiledRule[DerivationEntry], ...]
    kinds: tuple[CompiledRule[KindRule], ...]
    classes: tuple[CompiledRule[ClassRule], ...]
    subjects: tuple[CompiledRule[SubjectNode], ...]
    counts: tuple[CompiledCount, ...]
    source_routes: dict[str, RoutingDecision]
    routing_rules: tuple[RoutingRule, ...]
    catch_all_route: RoutingDecision
    read_paths: dict[str, tuple[NamePath, ...]]

    @property
    def procedure(self) -> Procedure:
        """The regulation."""
        return self.bound_procedure.procedure


_MAX_CACHED = 256
_cached_rules: dict[tuple[int, int], TriageRules] = {}


def rules_for(bound_procedure: BoundProcedure, organisation: Organisation) -> TriageRules:
    """The plan of these very objects, compiled at the first call; raises `ValueError` for a condition with bad syntax."""
    name = (id(bound_procedure), id(organisation))
    found = _cached_rules.get(name)
    if found is None or found.bound_procedure is not bound_procedure or found.organisation is not organisation:
        if len(_cached_rules) >= _MAX_CACHED:
            _cached_rules.clear()
        found = _cached_rules[name] = _compile(bound_procedure, organisation)
    return found


def _compile(bound: BoundProcedure, organisation: Organisation) -> TriageRules:
    procedure = bound.procedure
    rules = (
        tuple(CompiledRule(e, compile_condition(e.when)) for e in procedure.derived),
        tuple(CompiledRule(e, _condition(e.when)) for e in procedure.kinds),
        tuple(CompiledRule(e, _condition(e.when)) for e in procedure.classes),
        tuple(CompiledRule(e, _condition(e.when)) for e in procedure.subjects),
    )
    counts = tuple(CompiledCount(e, compile_condition(e.key), _condition(e.when)) for e in procedure.counts)
    ways = organisation_rules(bound, organisation) + procedure_rules(bound, organisation)
    paths = {path for one in _expressions((*rules, ways), counts) for path in one.paths}
    return TriageRules(
        bound,
        organisation,
        fact_defaults(procedure),
        *rules,
        counts,
        source_routes(bound, organisation),
        ways,
        checked_route(None, bound, organisation),
        {
            root: tuple(sorted(path for path in paths if path[0] == root))
            for root in ROOT_VARIABLES
            if any(path[0] == root for path in paths)
        },
    )


def _condition(source: str | None) -> Condition | None:
    return None if source is None else compile_condition(source)


def _expressions(
    rules: tuple[tuple[CompiledRule[object] | RoutingRule, ...], ...], counts: tuple[CompiledCount, ...]
) -> Iterator[Condition]:
    for group in rules:
        yield from (rule.when for rule in group if rule.when is not None)
    for count in counts:
        yield count.key
        if count.when is not None:
            yield count.when
