"""Which entries carry out each clause, which scenarios show it, and where there is a hole."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.procedures.loading.loader import Pack
from shared.procedures.loading.yaml_document import read_yaml
from shared.procedures.model.clauses import clause_ids, is_clause_or_subclause
from shared.procedures.model.entry_list import SECTIONS_WITH_SCENARIOS, LocatedEntry, all_entries
from shared.procedures.model.procedure import Procedure, Title


@dataclass(frozen=True, slots=True)
class ClauseCoverage:
    """One clause: the ids of the entries that carry it or a finer one, the scenarios that name it, and why it is left out, if it is."""

    procedure: str
    clause: str
    entries: tuple[str, ...]
    scenarios: tuple[str, ...]
    uncovered_reason: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The clause as it is printed in JSON."""
        return {
            "procedure": self.procedure,
            "clause": self.clause,
            "entries": list(self.entries),
            "scenarios": list(self.scenarios),
            "uncovered": self.uncovered_reason,
        }


@dataclass(frozen=True, slots=True)
class PackCoverage:
    """All clauses of a pack, and its holes in words.

    A hole is a clause without an entry that is not left out with a reason; an entry that scenarios have to show (duties, registers,
    forms, figures and conflicts have tests of their own), or a clause that such an entry carries, which no scenario names; an id that
    the text lacks.
    """

    clauses: tuple[ClauseCoverage, ...]
    gaps: tuple[str, ...]


def pack_coverage(pack: Pack) -> PackCoverage:
    """The coverage of a pack; raises `ProcedureError` where a scenario file cannot be read."""
    return procedure_coverage(pack.procedure, pack.clauses, {path.stem: expected_clauses(path) for path in pack.scenarios})


def expected_clauses(scenario: Path) -> frozenset[str]:
    """The clauses that the expectations of a scenario name."""
    data = read_yaml(scenario).data
    expected = data.get("expect", []) if isinstance(data, dict) else []
    return frozenset(str(each["clause"]) for each in expected if isinstance(each, dict) and "clause" in each)


def procedure_coverage(procedure: Procedure, clauses: Mapping[str, Title], scenarios: Mapping[str, frozenset[str]]) -> PackCoverage:
    """The coverage of a procedure by its entries and by scenarios (name → the clauses that it names)."""
    items = all_entries(procedure)
    reasons = {clause: entry.why for entry in procedure.uncovered for clause in clause_ids(entry.clause)}
    rows = tuple(
        ClauseCoverage(
            procedure=procedure.id,
            clause=clause,
            entries=tuple(item.id for item in items if _any_within(item.clauses, clause)),
            scenarios=tuple(name for name, found in scenarios.items() if _any_within(found, clause)),
            uncovered_reason=reasons.get(clause),
        )
        for clause in clauses
    )
    shown = {item.id for item in items if item.section in SECTIONS_WITH_SCENARIOS}
    return PackCoverage(
        rows,
        (
            *_clauses_without_entry(rows),
            *_unknown_clauses(items, clauses),
            *_entries_without_scenario(items, scenarios),
            *_clauses_without_scenario(rows, shown),
        ),
    )


def _any_within(found: Iterable[str], clause: str) -> bool:
    return any(is_clause_or_subclause(one, clause) for one in found)


def _clauses_without_entry(rows: Iterable[ClauseCoverage]) -> Iterable[str]:
    for row in rows:
        if not row.entries and row.uncovered_reason is None:
            yield f"{row.procedure}/{row.clause}: no entry carries it; add one, or list it under uncovered with the reason"


def _unknown_clauses(items: Iterable[LocatedEntry], clauses: Mapping[str, Title]) -> Iterable[str]:
    for item in items:
        for clause in item.clauses:
            if not any(is_clause_or_subclause(clause, known) for known in clauses):
                yield f"{item.id}: clauses.yaml has no clause {clause}; correct the id, or add the clause there"


def _entries_without_scenario(items: Iterable[LocatedEntry], scenarios: Mapping[str, frozenset[str]]) -> Iterable[str]:
    for item in items:
        if item.section not in SECTIONS_WITH_SCENARIOS or not item.clauses:
            continue
        if not any(_any_within(found, clause) for found in scenarios.values() for clause in item.clauses):
            wanted = ", ".join(item.clauses)
            yield f"{item.id}: no scenario expects anything under clause {wanted}; add one that would fail without this entry"


def _clauses_without_scenario(rows: Iterable[ClauseCoverage], shown: set[str]) -> Iterable[str]:
    for row in rows:
        if not row.scenarios and row.uncovered_reason is None and shown.intersection(row.entries):
            yield f"{row.procedure}/{row.clause}: no scenario expects anything under this clause; add one that would fail without it"
