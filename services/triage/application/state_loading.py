"""A desk filled from the tables, and what changed on it put back: the slice of triage's memory that one batch needs."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from services.triage.application.case_rows import case_from_row, row_from_case
from services.triage.application.procedure_registry import ProcedureRegistry
from services.triage.domain.group_counting import CounterKey, GroupCounter, Occurrence
from services.triage.domain.state import TriageState
from services.triage.domain.triage_case import TriageCase
from services.triage.storage import group_counters, triage_cases
from services.triage.storage.group_counters import GroupQuery
from services.triage.storage.triage_cases import TriageCaseRow
from shared.runtime.database.database import Transaction


@dataclass
class LoadedTriageState:
    """The desk of one transaction, and how it looked when it was filled."""

    state: TriageState
    registry: ProcedureRegistry
    _loaded_cases: dict[str, TriageCase] = field(default_factory=dict)
    _loaded_counters: dict[CounterKey, GroupCounter] = field(default_factory=dict)

    async def load_cases(self, tx: Transaction, case_ids: Collection[str]) -> None:
        """Put these cases on the desk, locked."""
        wanted = {name for name in case_ids if name not in self.state.cases}
        for row in await triage_cases.find_cases(tx, wanted, for_update=True):
            self._loaded_cases[row["case_id"]] = self.state.cases[row["case_id"]] = case_from_row(row, self.registry)

    async def load_counters(self, tx: Transaction, queries: Collection[GroupQuery], leaving_cases: Collection[str]) -> None:
        """Put the tallies there where cases are counted or left, and every case that may change by that."""
        names = {look.counter for look in queries if look.window is None}
        marks = await group_counters.find_group_occurrences(tx, leaving_cases)
        groups = await group_counters.find_open_groups(tx, names | {name for name, _ in marks})
        marks += await group_counters.find_occurrences(
            tx, [look for look in queries if look.counter not in groups or not groups[look.counter]]
        )
        slices: dict[CounterKey, dict[str, Occurrence]] = {name: {} for name in groups}
        for name, mark in marks:
            slices.setdefault(name, {})[mark.case] = mark
        for name, found in slices.items():
            self._loaded_counters[name] = self.state.counters[name] = GroupCounter(tuple(sorted(found.values())), groups.get(name, ""))
        left = {mark.case for name, mark in marks if mark.group and name in self._leaving(leaving_cases)}
        await self.load_cases(tx, {mark.case for _, mark in marks if not mark.group} | left)

    async def save(self, tx: Transaction, last_sequences: Mapping[str, int]) -> None:
        """Put back what changed; `sequences` are the numbers of the cases' last events."""
        new: list[TriageCaseRow] = []
        changed: list[TriageCaseRow] = []
        for case, found in self.state.cases.items():
            before = self._loaded_cases.get(case)
            if found is not before or case in last_sequences:
                (new if before is None else changed).append(row_from_case(found, last_sequences.get(case, found.sequence)))
        await triage_cases.save_cases(tx, new, new=True)
        await triage_cases.save_cases(tx, changed, new=False)
        await self._record_tallies(tx)

    async def _record_tallies(self, tx: Transaction) -> None:
        before = {(name, mark.case): mark for name, tally in self._loaded_counters.items() for mark in tally.marks}
        after = {(name, mark.case): mark for name, tally in self.state.counters.items() for mark in tally.marks}
        moved = [(name, mark) for (name, case), mark in after.items() if mark is not before.get((name, case))]
        await group_counters.save_occurrences(tx, moved, [place for place in before if place not in after])
        nothing = GroupCounter()
        opened = {
            n: t.open_group for n, t in self.state.counters.items() if t.open_group != self._loaded_counters.get(n, nothing).open_group
        }
        await group_counters.save_open_groups(tx, opened)

    def _leaving(self, cases: Iterable[str]) -> set[CounterKey]:
        found = (self.state.cases[case] for case in cases if case in self.state.cases)
        return {CounterKey(k.procedure.id, count, key) for k in found for count, key in k.keys.items()}
