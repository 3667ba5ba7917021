"""A procedure's triage rules with their conditions compiled once, and every name that they read."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from shared.procedures.bound import Bound
from shared.procedures.clause import listed
from shared.procedures.conditions import Condition, Path, compiled
from shared.procedures.entries import Clause
from shared.procedures.model import ClassRule, Count, Derived, KindRule, Procedure, Route, Subject
from shared.procedures.organisation import Organisation, Routing

E_co = TypeVar("E_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Rule(Generic[E_co]):
    """An entry and its compiled condition; without one it always holds."""

    entry: E_co
    when: Condition | None


@dataclass(frozen=True, slots=True)
class CountRule:
    """A counting entry with its key and condition."""

    entry: Count
    key: Condition
    when: Condition | None


@dataclass(frozen=True, slots=True)
class Plan:
    """All that triage does under one procedure in one organisation, in order."""

    bound: Bound
    organisation: Organisation
    derived: tuple[Rule[Derived], ...]
    kinds: tuple[Rule[KindRule], ...]
    classes: tuple[Rule[ClassRule], ...]
    subjects: tuple[Rule[Subject], ...]
    routing: tuple[Rule[Routing], ...]
    routes: tuple[Rule[Route], ...]
    counts: tuple[CountRule, ...]
    paths: tuple[Path, ...]

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


def clause(given: Clause | None) -> dict[str, object]:
    """The event's fields for an entry's clause: the first one, and all where there are several."""
    found = listed(given)
    if not found:
        return {}
    return {"clause": found[0]} if len(found) == 1 else {"clause": found[0], "clauses": list(found)}


def _compile(bound: Bound, organisation: Organisation) -> Plan:
    procedure = bound.procedure
    rules = (
        tuple(Rule(e, compiled(e.when)) for e in procedure.derived),
        tuple(Rule(e, _condition(e.when)) for e in procedure.kinds),
        tuple(Rule(e, _condition(e.when)) for e in procedure.classes),
        tuple(Rule(e, _condition(e.when)) for e in procedure.subjects),
        tuple(Rule(e, _condition(e.when)) for e in organisation.routing),
        tuple(Rule(e, _condition(e.when)) for e in procedure.routes),
    )
    counts = tuple(CountRule(e, compiled(e.key), _condition(e.when)) for e in procedure.counts)
    paths = {path for condition in _conditions(rules, counts) for path in condition.paths}
    return Plan(bound, organisation, *rules, counts, tuple(sorted(paths)))


def _condition(source: str | None) -> Condition | None:
    return None if source is None else compiled(source)


def _conditions(rules: tuple[tuple[Rule[object], ...], ...], counts: tuple[CountRule, ...]) -> Iterator[Condition]:
    for group in rules:
        yield from (rule.when for rule in group if rule.when is not None)
    for count in counts:
        yield count.key
        if count.when is not None:
            yield count.when
