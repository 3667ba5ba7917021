"""A procedure's triage rules with their conditions compiled once, and every name that they read."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from services.triage.domain.routing_rules import Route, Way, of_organisation, of_procedure, of_sources, settled
from shared.procedures.expressions.conditions import ROOTS, Path
from shared.procedures.expressions.matching import Expression, expression
from shared.procedures.model.bound_procedure import Bound
from shared.procedures.model.facts import defaults
from shared.procedures.model.procedure import ClassRule, Count, Derived, KindRule, Procedure, Subject
from shared.procedures.organisation import Organisation

E_co = TypeVar("E_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Rule(Generic[E_co]):
    """An entry and its compiled condition; without one it always holds."""

    entry: E_co
    when: Expression | None


@dataclass(frozen=True, slots=True)
class CountRule:
    """A counting entry with its key and condition."""

    entry: Count
    key: Expression
    when: Expression | None


@dataclass(frozen=True, slots=True)
class Plan:
    """All that triage does under one procedure in one organisation, in order.

    `facts` are the declared facts with their defaults; `sources`, `ways` and `catch_all` are the routes, in this order;
    `reads` are the paths that all conditions read, by root.
    """

    bound: Bound
    organisation: Organisation
    facts: dict[str, Any]
    derived: tuple[Rule[Derived], ...]
    kinds: tuple[Rule[KindRule], ...]
    classes: tuple[Rule[ClassRule], ...]
    subjects: tuple[Rule[Subject], ...]
    counts: tuple[CountRule, ...]
    sources: dict[str, Route]
    ways: tuple[Way, ...]
    catch_all: Route
    reads: dict[str, tuple[Path, ...]]

    @property
    def procedure(self) -> Procedure:
        """The regulation."""
        return self.bound.procedure


_KEPT = 256
_plans: dict[tuple[int, int], Plan] = {}


def plan(bound: Bound, organisation: Organisation) -> Plan:
    """The plan of these very objects, compiled at the first call; raises `ValueError` for a condition with bad syntax."""
    name = (id(bound), id(organisation))
    found = _plans.get(name)
    if found is None or found.bound is not bound or found.organisation is not organisation:
        if len(_plans) >= _KEPT:
            _plans.clear()
        found = _plans[name] = _compile(bound, organisation)
    return found


def _compile(bound: Bound, organisation: Organisation) -> Plan:
    procedure = bound.procedure
    rules = (
        tuple(Rule(e, expression(e.when)) for e in procedure.derived),
        tuple(Rule(e, _condition(e.when)) for e in procedure.kinds),
        tuple(Rule(e, _condition(e.when)) for e in procedure.classes),
        tuple(Rule(e, _condition(e.when)) for e in procedure.subjects),
    )
    counts = tuple(CountRule(e, expression(e.key), _condition(e.when)) for e in procedure.counts)
    ways = of_organisation(bound, organisation) + of_procedure(bound, organisation)
    paths = {path for one in _expressions((*rules, ways), counts) for path in one.condition.paths}
    return Plan(
        bound,
        organisation,
        defaults(procedure),
        *rules,
        counts,
        of_sources(bound, organisation),
        ways,
        settled(None, bound, organisation),
        {root: tuple(sorted(path for path in paths if path[0] == root)) for root in ROOTS if any(path[0] == root for path in paths)},
    )


def _condition(source: str | None) -> Expression | None:
    return None if source is None else expression(source)


def _expressions(rules: tuple[tuple[Rule[object] | Way, ...], ...], counts: tuple[CountRule, ...]) -> Iterator[Expression]:
    for group in rules:
        yield from (rule.when for rule in group if rule.when is not None)
    for count in counts:
        yield count.key
        if count.when is not None:
            yield count.when
