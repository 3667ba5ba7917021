"""Coverage of clauses: the entries that implement each clause, the scenarios that test and show it, and the gaps."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from shared.procedures.loading.loader import Pack
from shared.procedures.loading.yaml_document import read_yaml
from shared.procedures.model.clauses import clause_ids, is_clause_or_subclause
from shared.procedures.model.entry_list import SECTIONS_WITH_SCENARIOS, LocatedEntry, all_entries
from shared.procedures.model.procedure import Procedure, Title


@dataclass(frozen=True, slots=True)
class ClauseCoverage:
    """A clause with the ids of the entries and the names of the scenarios that refer to it or to a subclause.

    `uncovered_reason` is set for a clause that the procedure lists as uncovered. `shown` are the entries that a scenario of the second
    reading needs, each with the name of one; `unshown` are those that none needs.
    """

    procedure: str
    clause: str
    entries: tuple[str, ...]
    scenarios: tuple[str, ...]
    uncovered_reason: str | None = None
    needs_scenario: bool = False
    shown: tuple[tuple[str, str], ...] = ()
    unshown: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The clause for `jiesu procedure coverage --json` and the reference page."""
        return {
            "procedure": self.procedure,
            "clause": self.clause,
            "entries": list(self.entries),
            "scenarios": list(self.scenarios),
            "uncovered": self.uncovered_reason,
            "shown": dict(self.shown),
            "unshown": list(self.unshown),
        }


@dataclass(frozen=True, slots=True)
class PackCoverage:
    """The clauses of a pack, and its gaps as messages.

    A gap is a clause that has no entry and is not listed as uncovered, a clause id that clauses.yaml lacks, or an entry of
    `SECTIONS_WITH_SCENARIOS`, or a clause of one, to which no scenario refers.
    """

    clauses: tuple[ClauseCoverage, ...]
    gaps: tuple[str, ...]


def pack_coverage(pack: Pack) -> PackCoverage:
    """The coverage of a pack; raises `ProcedureError` for a scenario file that cannot be read."""
    return procedure_coverage(pack.procedure, pack.clauses, {pack.scenario_name(path): expected_clauses(path) for path in pack.scenarios})


def expected_clauses(scenario: Path) -> frozenset[str]:
    """The clauses to which the expectations of a scenario refer."""
    data = read_yaml(scenario).data
    expectations = data.get("expect", []) if isinstance(data, dict) else []
    return frozenset(str(expected["clause"]) for expected in expectations if isinstance(expected, dict) and "clause" in expected)


def procedure_coverage(procedure: Procedure, clauses: Mapping[str, Title], scenarios: Mapping[str, frozenset[str]]) -> PackCoverage:
    """The coverage of a procedure by its entries and by scenarios (name → clauses to which it refers)."""
    entries = all_entries(procedure)
    need_scenario = {located.id for located in entries if located.section in SECTIONS_WITH_SCENARIOS}
    reasons = {clause: entry.why for entry in procedure.uncovered for clause in clause_ids(entry.clause)}
    coverage = tuple(
        ClauseCoverage(
            procedure=procedure.id,
            clause=clause,
            entries=(implementing := tuple(located.id for located in entries if _refers_to(located.clauses, clause))),
            scenarios=tuple(name for name, expected in scenarios.items() if _refers_to(expected, clause)),
            uncovered_reason=reasons.get(clause),
            needs_scenario=clause not in reasons and not need_scenario.isdisjoint(implementing),
        )
        for clause in clauses
    )
    return PackCoverage(
        coverage,
        (
            *_clauses_without_entry(coverage),
            *_unknown_clauses(entries, clauses),
            *_entries_without_scenario(entries, scenarios),
            *_clauses_without_scenario(coverage),
        ),
    )


def with_second_reading(coverage: PackCoverage, shown: Mapping[str, str], unshown: Iterable[str]) -> PackCoverage:
    """The coverage with what the second reading shows (entry → scenario), and a gap for each clause of which it shows nothing.

    A clause counts as shown once one of its entries is needed: the others may state the same for other cases, and `jiesu procedure test`
    finds those that no scenario of the pack needs.
    """
    without = frozenset(unshown)
    rows = tuple(
        replace(
            row,
            shown=tuple((entry, shown[entry]) for entry in dict.fromkeys(row.entries) if entry in shown),
            unshown=tuple(entry for entry in dict.fromkeys(row.entries) if entry in without),
        )
        for row in coverage.clauses
    )
    return PackCoverage(rows, (*coverage.gaps, *(_not_shown(row) for row in rows if row.needs_scenario and not row.shown)))


def _not_shown(row: ClauseCoverage) -> str:
    return (
        f"{row.procedure}/{row.clause}: no scenario of scenarios/sense/ fails without {' or '.join(row.unshown or row.entries)}; "
        "write one from the text of the clause"
    )


def _refers_to(clauses: Iterable[str], parent: str) -> bool:
    return any(is_clause_or_subclause(clause, parent) for clause in clauses)


def _clauses_without_entry(coverage: Iterable[ClauseCoverage]) -> Iterator[str]:
    for covered in coverage:
        if not covered.entries and covered.uncovered_reason is None:
            yield f"{covered.procedure}/{covered.clause}: no entry implements it; add one, or list it under uncovered with the reason"


def _unknown_clauses(entries: Iterable[LocatedEntry], clauses: Mapping[str, Title]) -> Iterator[str]:
    for located in entries:
        for clause in located.clauses:
            if not any(is_clause_or_subclause(clause, known) for known in clauses):
                yield f"{located.id}: clauses.yaml has no clause {clause}; correct the id, or add the clause there"


def _entries_without_scenario(entries: Iterable[LocatedEntry], scenarios: Mapping[str, frozenset[str]]) -> Iterator[str]:
    for located in entries:
        if located.section not in SECTIONS_WITH_SCENARIOS or not located.clauses:
            continue
        if not any(_refers_to(expected, clause) for expected in scenarios.values() for clause in located.clauses):
            clauses = ", ".join(located.clauses)
            yield f"{located.id}: no scenario expects an event of clause {clauses}; add one that fails without this entry"


def _clauses_without_scenario(coverage: Iterable[ClauseCoverage]) -> Iterator[str]:
    for covered in coverage:
        if covered.needs_scenario and not covered.scenarios:
            yield f"{covered.procedure}/{covered.clause}: no scenario expects an event of this clause; add one that fails without it"
