"""Compiles a procedure's triage rules for one organisation: conditions, routes, and the names that they read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from services.triage.domain.departments.working_departments import WorkingDepartments
from services.triage.domain.facts.pattern_searches import PatternSearches
from services.triage.domain.groups.duplicates import DUPLICATES, duplicates_entry
from services.triage.domain.reading.reading_copy import read_text
from services.triage.domain.routing_rules import (
    RoutingDecision,
    RoutingRule,
    checked_route,
    optional_condition,
    organisation_rules,
    procedure_rules,
    source_routes,
)
from shared.procedures.expressions.conditions import ROOT_VARIABLES, Condition, NamePath, compile_condition
from shared.procedures.expressions.sense import compile_patterns
from shared.procedures.expressions.text_patterns import TextPattern
from shared.procedures.fact_library.library import with_library
from shared.procedures.model.bound_procedure import BoundProcedure
from shared.procedures.model.facts import fact_defaults
from shared.procedures.model.procedure import Procedure
from shared.procedures.model.triage.entries import ClassRule, CountEntry, DerivationEntry, KindRule, SubjectNode
from shared.procedures.organisation import Organisation

E_co = TypeVar("E_co", covariant=True)
W = TypeVar("W", SubjectNode, TextPattern)


class _Conditional(Protocol):
    @property
    def when(self) -> Condition | None: ...


@dataclass(frozen=True, slots=True)
class CompiledRule(Generic[E_co]):
    """An entry and its compiled condition; an entry without a condition always applies."""

    entry: E_co
    when: Condition | None


@dataclass(frozen=True, slots=True)
class CompiledCount:
    """A count entry with its compiled key and condition; no key where texts are compared."""

    entry: CountEntry
    key: Condition | None
    when: Condition | None


@dataclass(frozen=True, slots=True)
class TriageRules:
    """A procedure's triage rules, compiled for one organisation.

    `fact_defaults` are the declared facts with their defaults. Routes are tried in this order: `source_routes` by source id,
    `routing_rules`, the subject's department, `catch_all_route`; `working` states who takes the place of a department that does not work.
    `counted_entries` are the entries under which cases are counted: duplicates first, since a duplicate does not count under the others;
    the organisation's last.
    `fixed_counts` are those whose keys no fact of a group can change. `read_paths` are the paths that the conditions read, by root;
    `patterns` are those that a condition reads.
    """

    bound_procedure: BoundProcedure
    organisation: Organisation
    fact_defaults: dict[str, Any]
    derived: tuple[CompiledRule[DerivationEntry], ...]
    kinds: tuple[CompiledRule[KindRule], ...]
    classes: tuple[CompiledRule[ClassRule], ...]
    subjects: tuple[CompiledRule[SubjectNode], ...]
    counts: tuple[CompiledCount, ...]
    counted_entries: tuple[CountEntry, ...]
    fixed_counts: frozenset[str]
    source_routes: dict[str, RoutingDecision]
    routing_rules: tuple[RoutingRule, ...]
    catch_all_route: RoutingDecision
    working: WorkingDepartments
    read_paths: dict[str, tuple[NamePath, ...]]
    patterns: PatternSearches

    @property
    def procedure(self) -> Procedure:
        """The procedure without its parameters."""
        return self.bound_procedure.procedure

    @property
    def similar_entries(self) -> tuple[CountEntry, ...]:
        """The entries that compare texts: the procedure's, then the organisation's."""
        return tuple(entry for entry in self.counted_entries if entry.similar is not None)


def compile_rules(bound_procedure: BoundProcedure, organisation: Organisation) -> TriageRules:
    """The compiled rules; raises `ValueError` for a condition with a syntax error. Takes milliseconds: compile once and keep."""
    procedure = bound_procedure.procedure
    derived = tuple(CompiledRule(e, compile_condition(e.when)) for e in procedure.derived)
    kinds = tuple(CompiledRule(e, optional_condition(e.when)) for e in procedure.kinds)
    classes = tuple(CompiledRule(e, optional_condition(e.when)) for e in procedure.classes)
    subjects = tuple(CompiledRule(_read_words(e), optional_condition(e.when)) for e in procedure.subjects)
    entries = (*procedure.counts, *(event for event in organisation.same_events if event.concerns(procedure.id)))
    counts = tuple(CompiledCount(e, optional_condition(e.key or None), optional_condition(e.when)) for e in entries)
    routing_rules = organisation_rules(bound_procedure, organisation) + procedure_rules(bound_procedure, organisation)
    conditional: tuple[_Conditional, ...] = (*derived, *kinds, *classes, *subjects, *routing_rules, *counts)
    read_paths = _paths_by_root([*(entry.when for entry in conditional), *(count.key for count in counts)])
    read_patterns = {path[1] for path in read_paths.get("says", ())}
    declared_patterns = {name: _read_words(with_library(pattern)) for name, pattern in (organisation.patterns | procedure.patterns).items()}
    patterns = compile_patterns(declared_patterns, procedure.cues)
    return TriageRules(
        bound_procedure=bound_procedure,
        organisation=organisation,
        fact_defaults=fact_defaults(procedure),
        derived=derived,
        kinds=kinds,
        classes=classes,
        subjects=subjects,
        counts=counts,
        counted_entries=(duplicates_entry(procedure), *entries),
        fixed_counts=_fixed_counts(procedure, counts),
        source_routes=source_routes(bound_procedure, organisation),
        routing_rules=routing_rules,
        catch_all_route=checked_route(None, bound_procedure, organisation),
        working=WorkingDepartments(organisation),
        read_paths=read_paths,
        patterns=PatternSearches({name: pattern for name, pattern in patterns.items() if name in read_patterns}),
    )


def _fixed_counts(procedure: Procedure, counts: Sequence[CompiledCount]) -> frozenset[str]:
    """The entries whose key and condition read the complaint, parameters, and facts that neither a group nor a rule sets."""
    set_by_rules = {name for count in counts for name in count.entry.does.set} | {name for e in procedure.derived for name in e.set}

    def is_fixed(path: NamePath) -> bool:
        return path[0] in ("complaint", "parameters") or (path[0] == "facts" and path[1] not in set_by_rules)

    paths = {c.entry.id: [path for condition in (c.key, c.when) if condition is not None for path in condition.paths] for c in counts}
    same = procedure.duplicates.same if procedure.duplicates else []
    paths[DUPLICATES] = [("facts", name.removeprefix("facts.")) for name in same if name.startswith("facts.")]
    return frozenset(id_ for id_, of_count in paths.items() if all(map(is_fixed, of_count)))


def _read_words(entry: W) -> W:
    """The entry with its words in the form of the texts that they are searched in: 二次供水 is 2次供水 there."""
    return entry.model_copy(update={"words": [read_text(word) for word in entry.words]})


def _paths_by_root(conditions: Iterable[Condition | None]) -> dict[str, tuple[NamePath, ...]]:
    paths = sorted({path for condition in conditions if condition is not None for path in condition.paths})
    return {root: tuple(path for path in paths if path[0] == root) for root in ROOT_VARIABLES if any(path[0] == root for path in paths)}
