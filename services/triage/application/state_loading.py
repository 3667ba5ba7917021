"""A desk filled from the tables, and what changed on it put back: the slice of triage's memory that one batch needs."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from services.triage.application.procedure_registry import Library
from services.triage.domain.group_counting import Mark, Tally, reach, window
from services.triage.domain.state import Desk, Name
from services.triage.domain.triage_case import Known, Verdict
from services.triage.storage import triage_state
from services.triage.storage.triage_state import Look, Row
from shared.contracts.complaint import Complaint
from shared.procedures.model.procedure import Procedure
from shared.runtime.database.database import Transaction


@dataclass
class Caseload:
    """The desk of one transaction, and how it looked when it was filled."""

    desk: Desk
    library: Library
    _cases: dict[str, Known] = field(default_factory=dict)
    _tallies: dict[Name, Tally] = field(default_factory=dict)

    async def load(self, tx: Transaction, names: Collection[str]) -> None:
        """Put these cases on the desk, locked."""
        wanted = {name for name in names if name not in self.desk.cases}
        for row in await triage_state.cases(tx, wanted, for_update=True):
            self._cases[row["case_id"]] = self.desk.cases[row["case_id"]] = known(row, self.library)

    async def load_counts(self, tx: Transaction, looks: Collection[Look], leaving: Collection[str]) -> None:
        """Put the tallies there where cases are counted or left, and every case that may change by that."""
        names = {look.name for look in looks if look.span is None}
        marks = await triage_state.grouped(tx, leaving)
        groups = await triage_state.open_groups(tx, names | {name for name, _ in marks})
        marks += await triage_state.marks(tx, [look for look in looks if look.name not in groups or not groups[look.name]])
        slices: dict[Name, dict[str, Mark]] = {name: {} for name in groups}
        for name, mark in marks:
            slices.setdefault(name, {})[mark.case] = mark
        for name, found in slices.items():
            self._tallies[name] = self.desk.tallies[name] = Tally(tuple(sorted(found.values())), groups.get(name, ""))
        left = {mark.case for name, mark in marks if mark.group and name in self._leaving(leaving)}
        await self.load(tx, {mark.case for _, mark in marks if not mark.group} | left)

    async def record(self, tx: Transaction, sequences: Mapping[str, int]) -> None:
        """Put back what changed; `sequences` are the numbers of the cases' last events."""
        new: list[Row] = []
        changed: list[Row] = []
        for case, found in self.desk.cases.items():
            before = self._cases.get(case)
            if found is not before or case in sequences:
                (new if before is None else changed).append(row(found, sequences.get(case, found.sequence)))
        await triage_state.record_cases(tx, new, new=True)
        await triage_state.record_cases(tx, changed, new=False)
        await self._record_tallies(tx)

    async def _record_tallies(self, tx: Transaction) -> None:
        before = {(name, mark.case): mark for name, tally in self._tallies.items() for mark in tally.marks}
        after = {(name, mark.case): mark for name, tally in self.desk.tallies.items() for mark in tally.marks}
        moved = [(name, mark) for (name, case), mark in after.items() if mark is not before.get((name, case))]
        await triage_state.record_marks(tx, moved, [place for place in before if place not in after])
        nothing = Tally()
        opened = {n: t.group for n, t in self.desk.tallies.items() if t.group != self._tallies.get(n, nothing).group}
        await triage_state.record_groups(tx, opened)

    def _leaving(self, cases: Iterable[str]) -> set[Name]:
        found = (self.desk.cases[case] for case in cases if case in self.desk.cases)
        return {Name(k.procedure.id, count, key) for k in found for count, key in k.keys.items()}


def looks(complaint: Complaint, procedure: Procedure, keys: Mapping[str, str]) -> list[Look]:
    """Where a case with these keys is counted."""
    entries = [entry for entry in procedure.counts if keys.get(entry.id)] if keys else []
    at = complaint.received_at
    return [Look(Name(procedure.id, entry.id, keys[entry.id]), at, window(entry), reach(entry)) for entry in entries]


def known(row: Mapping[str, Any], library: Library) -> Known:
    """A case from its row."""
    return Known(
        complaint=Complaint.model_validate_json(row["complaint"]),
        bound=library.bound(row["procedure"], row["version"], orjson.loads(row["parameters"])),
        kind=row["kind"],
        subject=row["subject"],
        seen=(row["seen_kind"], row["seen_subject"]),
        held=Verdict(row["held_class"], row["held_rule"]),
        assessed=Verdict(row["assessed_class"], row["assessed_rule"]),
        grouped=Verdict(row["grouped_class"], row["grouped_rule"]),
        pinned=row["pinned"],
        ended=row["ended"],
        keys=orjson.loads(row["keys"]),
        sequence=row["sequence"],
    )


def row(found: Known, sequence: int) -> Row:
    """A case as its row."""
    return Row(
        case_id=found.case,
        procedure=found.procedure.id,
        parameters=orjson.dumps(found.bound.parameters).decode(),
        complaint=found.complaint.model_dump_json(exclude_none=True),
        kind=found.kind,
        subject=found.subject,
        seen_kind=found.seen[0],
        seen_subject=found.seen[1],
        held_class=found.held.class_,
        held_rule=found.held.rule,
        assessed_class=found.assessed.class_,
        assessed_rule=found.assessed.rule,
        grouped_class=found.grouped.class_,
        grouped_rule=found.grouped.rule,
        keys=orjson.dumps(found.keys).decode(),
        version=found.procedure.version,
        sequence=sequence,
        pinned=found.pinned,
        ended=found.ended,
    )
