"""Loads the part of triage's state that one batch depends on, and saves what the batch changed."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from services.triage.application.case_rows import case_from_row, row_from_case
from services.triage.application.people_loading import learn_people, load_keys
from services.triage.application.procedure_registry import ProcedureRegistry
from services.triage.domain.event_assessment import CountChange
from services.triage.domain.groups.counters import CounterKey, GroupCounter, GroupQuery, Occurrence, group_founder
from services.triage.domain.groups.duplicates import DUPLICATES
from services.triage.domain.groups.people import PersonDirectory
from services.triage.domain.state import TriageState
from services.triage.domain.triage_case import TriageCase
from services.triage.storage import group_counters, persons, triage_cases
from services.triage.storage.triage_cases import TriageCaseRow
from shared.runtime.database.database import Transaction


@dataclass
class LoadedTriageState:
    """The cases, group counters and people as they were loaded in one transaction, complete for `count_changes`.

    `submitted_keys` are the complainants' keys of the batch's registrations.
    """

    registry: ProcedureRegistry
    cases: dict[str, TriageCase] = field(default_factory=dict)
    counters: dict[CounterKey, GroupCounter] = field(default_factory=dict)
    count_changes: set[CountChange] = field(default_factory=set)
    whole_counters: set[CounterKey] = field(default_factory=set)
    submitted_keys: set[str] = field(default_factory=set)
    people: PersonDirectory = field(default_factory=PersonDirectory)
    member_rows: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """Rows of cases that events may change, read when one does: of ten neighbours in a window three join a group."""

    def new_state(self) -> TriageState:
        """A state in which events can be applied."""
        return TriageState(self.cases, self.counters, self.count_changes, self.people, self._find_case)

    async def load_cases(self, tx: Transaction, case_ids: Collection[str]) -> None:
        """Load and lock these cases."""
        missing = {case_id for case_id in case_ids if case_id not in self.cases}
        missing -= {case_id for case_id in missing if self._find_case(case_id) is not None}
        for row in await triage_cases.find_cases(tx, missing, for_update=True):
            self.cases[row["case_id"]] = case_from_row(row, self.registry)

    async def _load_members(self, tx: Transaction, case_ids: Collection[str]) -> None:
        missing = {case_id for case_id in case_ids if case_id not in self.cases and case_id not in self.member_rows}
        self.member_rows |= {row["case_id"]: row for row in await triage_cases.find_cases(tx, missing, for_update=True)}

    def _find_case(self, case_id: str) -> TriageCase | None:
        row = self.member_rows.get(case_id)
        if row is not None and case_id not in self.cases:
            self.cases[case_id] = case_from_row(row, self.registry)
        return self.cases.get(case_id)

    async def load_counters(self, tx: Transaction, changes: Collection[CountChange]) -> None:
        """Load the group counters on which these changes depend, and every case that they may change."""
        if not changes:
            return
        self.count_changes |= set(changes)
        left = {change.leaves.counter for change in self.count_changes if change.leaves is not None}
        # Of a matter no group dissolves: one that everybody complains about is never loaded whole.
        whole = self.whole_counters | {counter for counter in left if counter.count != DUPLICATES}
        queries = [query for change in self.count_changes if (query := change.joins or change.leaves) is not None]
        keys = {key for change in self.count_changes if change.case in self.cases for key in self.cases[change.case].complainants}
        self.people = await load_keys(tx, self.submitted_keys | keys)
        open_groups, occurrences, complete = await self._find_occurrences(tx, queries, whole)
        await learn_people(tx, self.people, {o.person for _, o in occurrences} - {""})
        by_counter: dict[CounterKey, dict[str, Occurrence]] = {counter: {} for counter in open_groups}
        for counter, occurrence in occurrences:
            by_counter.setdefault(counter, {})[occurrence.case] = occurrence
        partial = {query.counter for query in queries if query.counts_people} - whole - complete
        for counter, by_case in by_counter.items():
            self.counters[counter] = GroupCounter(tuple(sorted(by_case.values())), open_groups.get(counter, ""), counter in partial)
        # Cases without a group may join one; members may lose theirs when a case leaves, or when it shows two people to be one.
        may_lose = whole | complete | {query.counter for query in queries if query.complainants}
        await self._load_members(tx, {o.case for counter, o in occurrences if not o.group or counter in may_lose})

    async def complete_counter(self, tx: Transaction, counter: CounterKey, state: TriageState) -> None:
        """Load all members of the groups of a counter into a state that events were applied to: one is completed or dissolved."""
        self.whole_counters.add(counter)
        queries = [query for change in self.count_changes if (query := change.joins or change.leaves) and query.counter == counter]
        _, found, _ = await self._find_occurrences(tx, queries, {counter})
        before = self.counters.get(counter, GroupCounter())
        # The same objects as before where nothing changed: `save` writes what is another object.
        by_case = {o.case: o for key, o in found if key == counter} | {o.case: o for o in before.occurrences}
        await learn_people(tx, self.people, {o.person for o in by_case.values()} - {""})
        self.counters[counter] = replace(before, occurrences=tuple(sorted(by_case.values())), partial=False)
        await self._load_members(tx, by_case.keys())
        state.complete_counter(counter, before, self.counters[counter])

    async def _find_occurrences(
        self, tx: Transaction, queries: Sequence[GroupQuery], whole: Collection[CounterKey]
    ) -> tuple[dict[CounterKey, str], list[tuple[CounterKey, Occurrence]], set[CounterKey]]:
        """The open groups of the counters, the occurrences on which the changes depend, and counters of which these are all."""
        without_window = {query.counter for query in queries if query.window is None and not query.complainants}
        open_groups = await group_counters.find_open_groups(tx, without_window)
        # Every case joins an open group of cases, whatever occurrences the counter has; people are counted again.
        needed = [q for q in queries if q.counts_people or q.counter in whole or not open_groups.get(q.counter)]
        connected = await persons.find_connected(tx, {self.people.person(q.complainants) for q in needed if q.complainants})
        are_open = {counter for counter, group in open_groups.items() if group}
        occurrences, complete = await group_counters.find_occurrences(
            tx, needed, whole, are_open, lambda keys: connected[self.people.person(keys)]
        )
        leaving_cases = {change.case for change in self.count_changes if change.leaves is not None}
        of_leaving_cases = await group_counters.find_case_occurrences(tx, leaving_cases)
        left = {change.leaves.counter for change in self.count_changes if change.leaves is not None}
        occurrences += [(counter, occurrence) for counter, occurrence in of_leaving_cases if counter in left]
        groups = {(counter, o.group) for counter, o in occurrences if o.group}
        groups |= {(counter, group) for counter, group in open_groups.items() if group}
        members = await group_counters.find_group_members(tx, self._groups_to_complete(groups, whole))
        return open_groups, occurrences + members, complete

    def _groups_to_complete(self, groups: Iterable[tuple[CounterKey, str]], whole: Collection[CounterKey]) -> set[tuple[CounterKey, str]]:
        """The groups of which all members are needed.

        All members decide whether a group dissolves when a case leaves, and which one its founder is linked to when it joins again.
        """
        joining = {(change.joins.counter, change.case) for change in self.count_changes if change.joins is not None}
        return {(c, group) for c, group in groups if c in whole or (c, group_founder(group)) in joining}

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
        no_counter = GroupCounter()
        changed: list[tuple[CounterKey, Occurrence]] = []
        removed: list[tuple[CounterKey, str]] = []
        for counter, group_counter in state.counters.items():
            before = {o.case: o for o in self.counters.get(counter, no_counter).occurrences}
            after = {o.case: o for o in group_counter.occurrences}
            changed += [(counter, o) for case, o in after.items() if o is not before.get(case)]
            removed += [(counter, case) for case in before.keys() - after.keys()]
        await group_counters.save_occurrences(tx, changed, removed)
        open_groups = {
            counter: group_counter.open_group
            for counter, group_counter in state.counters.items()
            if group_counter.open_group != self.counters.get(counter, no_counter).open_group
        }
        await group_counters.save_open_groups(tx, open_groups)
