"""A desk filled from the tables, and what changed on it put back: the slice of triage's memory that one batch needs."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from services.triage.application.procedure_registry import ProcedureRegistry
from services.triage.domain.group_counting import GroupCounter, Occurrence, max_neighbours, window_length
from services.triage.domain.state import CounterKey, TriageState
from services.triage.domain.triage_case import Classification, TriageCase
from services.triage.storage import triage_state
from services.triage.storage.triage_state import GroupQuery, TriageCaseRow
from shared.contracts.complaint import Complaint
from shared.procedures.model.procedure import Procedure
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
        for row in await triage_state.find_cases(tx, wanted, for_update=True):
            self._loaded_cases[row["case_id"]] = self.state.cases[row["case_id"]] = case_from_row(row, self.registry)

    async def load_counters(self, tx: Transaction, queries: Collection[GroupQuery], leaving_cases: Collection[str]) -> None:
        """Put the tallies there where cases are counted or left, and every case that may change by that."""
        names = {look.counter for look in queries if look.window is None}
        marks = await triage_state.find_group_occurrences(tx, leaving_cases)
        groups = await triage_state.find_open_groups(tx, names | {name for name, _ in marks})
        marks += await triage_state.find_occurrences(
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
        await triage_state.save_cases(tx, new, new=True)
        await triage_state.save_cases(tx, changed, new=False)
        await self._record_tallies(tx)

    async def _record_tallies(self, tx: Transaction) -> None:
        before = {(name, mark.case): mark for name, tally in self._loaded_counters.items() for mark in tally.marks}
        after = {(name, mark.case): mark for name, tally in self.state.counters.items() for mark in tally.marks}
        moved = [(name, mark) for (name, case), mark in after.items() if mark is not before.get((name, case))]
        await triage_state.save_occurrences(tx, moved, [place for place in before if place not in after])
        nothing = GroupCounter()
        opened = {
            n: t.open_group for n, t in self.state.counters.items() if t.open_group != self._loaded_counters.get(n, nothing).open_group
        }
        await triage_state.save_open_groups(tx, opened)

    def _leaving(self, cases: Iterable[str]) -> set[CounterKey]:
        found = (self.state.cases[case] for case in cases if case in self.state.cases)
        return {CounterKey(k.procedure.id, count, key) for k in found for count, key in k.keys.items()}


def group_queries(complaint: Complaint, procedure: Procedure, count_keys: Mapping[str, str]) -> list[GroupQuery]:
    """Where a case with these keys is counted."""
    entries = [entry for entry in procedure.counts if count_keys.get(entry.id)] if count_keys else []
    at = complaint.received_at
    return [
        GroupQuery(CounterKey(procedure.id, entry.id, count_keys[entry.id]), at, window_length(entry), max_neighbours(entry))
        for entry in entries
    ]


def case_from_row(row: Mapping[str, Any], registry: ProcedureRegistry) -> TriageCase:
    """A case from its row."""
    return TriageCase(
        complaint=Complaint.model_validate_json(row["complaint"]),
        bound_procedure=registry.bound_procedure(row["procedure"], row["version"], orjson.loads(row["parameters"])),
        kind=row["kind"],
        subject=row["subject"],
        seen=(row["seen_kind"], row["seen_subject"]),
        held=Classification(row["held_class"], row["held_rule"]),
        assessed=Classification(row["assessed_class"], row["assessed_rule"]),
        grouped=Classification(row["grouped_class"], row["grouped_rule"]),
        pinned=row["pinned"],
        ended=row["ended"],
        keys=orjson.loads(row["keys"]),
        sequence=row["sequence"],
    )


def row_from_case(triage_case: TriageCase, sequence: int) -> TriageCaseRow:
    """A case as its row."""
    return TriageCaseRow(
        case_id=triage_case.case,
        procedure=triage_case.procedure.id,
        parameters=orjson.dumps(triage_case.bound_procedure.parameters).decode(),
        complaint=triage_case.complaint.model_dump_json(exclude_none=True),
        kind=triage_case.kind,
        subject=triage_case.subject,
        seen_kind=triage_case.seen[0],
        seen_subject=triage_case.seen[1],
        held_class=triage_case.held.class_,
        held_rule=triage_case.held.rule,
        assessed_class=triage_case.assessed.class_,
        assessed_rule=triage_case.assessed.rule,
        grouped_class=triage_case.grouped.class_,
        grouped_rule=triage_case.grouped.rule,
        keys=orjson.dumps(triage_case.keys).decode(),
        version=triage_case.procedure.version,
        sequence=sequence,
        pinned=triage_case.pinned,
        ended=triage_case.ended,
    )
