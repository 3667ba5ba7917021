"""Loads the part of triage's state that one batch depends on, and saves what the batch changed."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from services.triage.application.case_rows import case_from_row, row_from_case
from services.triage.application.procedure_registry import ProcedureRegistry
from services.triage.domain.event_assessment import CountChange
from services.triage.domain.group_counting import CounterKey, GroupCounter, Occurrence, group_founder
from services.triage.domain.state import TriageState
from services.triage.domain.triage_case import TriageCase
from services.triage.storage import group_counters, triage_cases
from services.triage.storage.triage_cases import TriageCaseRow
from shared.runtime.database.database import Transaction


@dataclass
class LoadedTriageState:
    """The cases and group counters as they were loaded in one transaction, complete for `count_changes`."""

    registry: ProcedureRegistry
    cases: dict[str, TriageCase] = field(default_factory=dict)
    counters: dict[CounterKey, GroupCounter] = field(default_factory=dict)
    count_changes: set[CountChange] = field(default_factory=set)

    def new_state(self) -> TriageState:
        """A state in which events can be applied."""
        return TriageState(self.cases, self.counters, self.count_changes)

    async def load_cases(self, tx: Transaction, case_ids: Collection[str]) -> None:
        """Load and lock these cases."""
        missing = {case_id for case_id in case_ids if case_id not in self.cases}
        for row in await triage_cases.find_cases(tx, missing, for_update=True):
            self.cases[row["case_id"]] = case_from_row(row, self.registry)

    async def load_counters(self, tx: Transaction, changes: Collection[CountChange]) -> None:
        """Load the group counters on which these changes depend, and every case that they may change."""
        if not changes:
            return
        self.count_changes |= set(changes)
        left_counters = {change.leaves for change in self.count_changes if change.leaves is not None}
        open_groups, occurrences = await self._find_occurrences(tx, left_counters)
        by_counter: dict[CounterKey, dict[str, Occurrence]] = {counter: {} for counter in open_groups}
        for counter, occurrence in occurrences:
            by_counter.setdefault(counter, {})[occurrence.case] = occurrence
        for counter, by_case in by_counter.items():
            self.counters[counter] = GroupCounter(tuple(sorted(by_case.values())), open_groups.get(counter, ""))
        # Cases without a group may join one; members of a group may lose it when a case leaves.
        await self.load_cases(tx, {o.case for counter, o in occurrences if not o.group or counter in left_counters})

    async def _find_occurrences(
        self, tx: Transaction, left_counters: Collection[CounterKey]
    ) -> tuple[dict[CounterKey, str], list[tuple[CounterKey, Occurrence]]]:
        """The open groups of the counters, and the occurrences on which the changes depend."""
        queries = [change.joins for change in self.count_changes if change.joins is not None]
        without_window = {query.counter for query in queries if query.window is None}
        open_groups = await group_counters.find_open_groups(tx, without_window | set(left_counters))
        # Every case joins an open group, whatever occurrences the counter has.
        occurrences = await group_counters.find_occurrences(tx, [query for query in queries if not open_groups.get(query.counter)])
        leaving_cases = {change.case for change in self.count_changes if change.leaves is not None}
        of_leaving_cases = await group_counters.find_case_occurrences(tx, leaving_cases)
        occurrences += [(counter, occurrence) for counter, occurrence in of_leaving_cases if counter in left_counters]
        groups = {(counter, o.group) for counter, o in occurrences if o.group}
        groups |= {(counter, group) for counter, group in open_groups.items() if group}
        members = await group_counters.find_group_members(tx, self._groups_to_complete(groups, left_counters))
        return open_groups, occurrences + members

    def _groups_to_complete(
        self, groups: Iterable[tuple[CounterKey, str]], left_counters: Collection[CounterKey]
    ) -> set[tuple[CounterKey, str]]:
        """The groups of which all members are needed.

        All members decide whether a group dissolves when a case leaves, and which one its founder is linked to when it joins again.
        """
        joining = {(change.joins.counter, change.case) for change in self.count_changes if change.joins is not None}
        return {(c, group) for c, group in groups if c in left_counters or (c, group_founder(group)) in joining}

    async def save(self, tx: Transaction, state: TriageState, last_sequences: Mapping[str, int]) -> None:
        """Save what differs from what was loaded; `last_sequences` maps cases to the number of their last published event."""
        new_rows: list[TriageCaseRow] = []
        changed_rows: list[TriageCaseRow] = []
        for case_id, triage_case in state.cases.items():
            loaded = self.cases.get(case_id)
            if triage_case is not loaded or case_id in last_sequences:
                row = row_from_case(triage_case, last_sequences.get(case_id, triage_case.sequence))
                (new_rows if loaded is None else changed_rows).append(row)
        await triage_cases.save_cases(tx, new_rows, new=True)
        await triage_cases.save_cases(tx, changed_rows, new=False)
        await self._save_counters(tx, state)

    async def _save_counters(self, tx: Transaction, state: TriageState) -> None:
        before = {(counter, o.case): o for counter, group_counter in self.counters.items() for o in group_counter.occurrences}
        after = {(counter, o.case): o for counter, group_counter in state.counters.items() for o in group_counter.occurrences}
        changed = [(counter, o) for (counter, case), o in after.items() if o is not before.get((counter, case))]
        await group_counters.save_occurrences(tx, changed, [key for key in before if key not in after])
        no_counter = GroupCounter()
        open_groups = {
            counter: group_counter.open_group
            for counter, group_counter in state.counters.items()
            if group_counter.open_group != self.counters.get(counter, no_counter).open_group
        }
        await group_counters.save_open_groups(tx, open_groups)
