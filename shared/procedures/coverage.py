"""Which entries carry out each clause, which scenarios show it, and where there is a hole."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.procedures.loading.loader import Pack
from shared.procedures.loading.yaml_document import read
from shared.procedures.model.clauses import counts_for, listed
from shared.procedures.model.entry_list import SHOWN_BY_SCENARIOS, Item, inventory
from shared.procedures.model.procedure import Procedure, Title


@dataclass(frozen=True, slots=True)
class Covered:
    """One clause: the ids of the entries that carry it or a finer one, the scenarios that name it, and why it is left out, if it is."""

    procedure: str
    clause: str
    entries: tuple[str, ...]
    scenarios: tuple[str, ...]
    uncovered: str | None = None

    def row(self) -> dict[str, Any]:
        """The clause as it is printed in JSON."""
        return {
            "procedure": self.procedure,
            "clause": self.clause,
            "entries": list(self.entries),
            "scenarios": list(self.scenarios),
            "uncovered": self.uncovered,
        }


@dataclass(frozen=True, slots=True)
class Coverage:
    """All clauses of a pack, and its holes in words.

    A hole is a clause without an entry that is not left out with a reason; an entry that scenarios have to show (duties, registers,
    forms, figures and conflicts have tests of their own), or a clause that such an entry carries, which no scenario names; an id that
    the text lacks.
    """

    clauses: tuple[Covered, ...]
    holes: tuple[str, ...]


def coverage(pack: Pack) -> Coverage:
    """The coverage of a pack; raises `ProcedureError` where a scenario file cannot be read."""
    return covered(pack.procedure, pack.clauses, {path.stem: named(path) for path in pack.scenarios})


def named(scenario: Path) -> frozenset[str]:
    """The clauses that the expectations of a scenario name."""
    data = read(scenario).data
    expected = data.get("expect", []) if isinstance(data, dict) else []
    return frozenset(str(each["clause"]) for each in expected if isinstance(each, dict) and "clause" in each)


def covered(procedure: Procedure, clauses: Mapping[str, Title], scenarios: Mapping[str, frozenset[str]]) -> Coverage:
    """The coverage of a procedure by its entries and by scenarios (name → the clauses that it names)."""
    items = inventory(procedure)
    reasons = {clause: entry.why for entry in procedure.uncovered for clause in listed(entry.clause)}
    rows = tuple(
        Covered(
            procedure=procedure.id,
            clause=clause,
            entries=tuple(item.id for item in items if _any(item.clauses, clause)),
            scenarios=tuple(name for name, found in scenarios.items() if _any(found, clause)),
            uncovered=reasons.get(clause),
        )
        for clause in clauses
    )
    shown = {item.id for item in items if item.section in SHOWN_BY_SCENARIOS}
    return Coverage(rows, (*_without_entry(rows), *_unknown(items, clauses), *_unshown(items, scenarios), *_unnamed(rows, shown)))


def _any(found: Iterable[str], clause: str) -> bool:
    return any(counts_for(one, clause) for one in found)


def _without_entry(rows: Iterable[Covered]) -> Iterable[str]:
    for row in rows:
        if not row.entries and row.uncovered is None:
            yield f"{row.procedure}/{row.clause}: no entry carries it; add one, or list it under uncovered with the reason"


def _unknown(items: Iterable[Item], clauses: Mapping[str, Title]) -> Iterable[str]:
    for item in items:
        for clause in item.clauses:
            if not any(counts_for(clause, known) for known in clauses):
                yield f"{item.id}: clauses.yaml has no clause {clause}; correct the id, or add the clause there"


def _unshown(items: Iterable[Item], scenarios: Mapping[str, frozenset[str]]) -> Iterable[str]:
    for item in items:
        if item.section not in SHOWN_BY_SCENARIOS or not item.clauses:
            continue
        if not any(_any(found, clause) for found in scenarios.values() for clause in item.clauses):
            wanted = ", ".join(item.clauses)
            yield f"{item.id}: no scenario expects anything under clause {wanted}; add one that would fail without this entry"


def _unnamed(rows: Iterable[Covered], shown: set[str]) -> Iterable[str]:
    for row in rows:
        if not row.scenarios and row.uncovered is None and shown.intersection(row.entries):
            yield f"{row.procedure}/{row.clause}: no scenario expects anything under this clause; add one that would fail without it"
