"""Deciding on batches: each event is assessed once, and all that deciding reads was loaded."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import orjson
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from services.triage.application import state_loading, triage
from services.triage.application.procedure_registry import ProcedureRegistry
from services.triage.application.triage import TriageComplaints
from services.triage.domain import event_assessment
from services.triage.domain.assess import TriageDecision, assess
from services.triage.domain.groups.counters import CounterKey, GroupQuery, Occurrence
from services.triage.domain.groups.people import PersonDirectory, PersonKeys, connected
from services.triage.storage import group_counters, persons, recounts, triage_cases
from services.triage.storage.triage_cases import TriageCaseRow
from shared.contracts.complaint import Complaint
from shared.contracts.envelope import CloudEventRecord
from shared.contracts.events import encode_event
from shared.contracts.events.base import CaseEvent
from shared.contracts.events.up_to_approval import Amended
from shared.contracts.topics import COMPLAINT_EVENTS
from shared.procedures.organisation import Organisation
from shared.runtime.clock import Clock
from shared.runtime.database.database import Transaction
from shared.runtime.outbox import outbox
from tests.support.messaging.cloud_events import received_record
from tests.support.scenarios.triage_batches import (
    PROCEDURE,
    START,
    case_events,
    decide_in_memory,
    registration,
    split_batches,
)


class InMemoryTables:
    """Stands in for the storage modules; gives only the rows that their statements would select."""

    def __init__(self) -> None:
        self.cases: dict[str, TriageCaseRow] = {}
        self.occurrences: dict[tuple[CounterKey, str], Occurrence] = {}
        self.open_groups: dict[CounterKey, str] = {}
        self.published: list[dict[str, Any]] = []
        self.people = PersonDirectory()
        self.changed: list[tuple[str, datetime]] = []

    async def find_cases(self, _: object, case_ids: Collection[str], *, for_update: bool) -> list[Mapping[str, Any]]:
        assert for_update
        return [self.cases[case]._asdict() for case in sorted(case_ids) if case in self.cases]

    async def find_procedures(self, _: object, case_ids: Collection[str]) -> list[tuple[str, int, dict[str, Any]]]:
        rows = [self.cases[case] for case in case_ids if case in self.cases]
        return [(row.procedure, row.version, orjson.loads(row.parameters)) for row in rows[:1]]

    async def save_cases(self, _: object, rows: Sequence[TriageCaseRow], *, new: bool) -> None:
        for row in rows:
            assert (row.case_id not in self.cases) is new
            self.cases[row.case_id] = row

    async def lock_counting(self, _: object, procedures: Collection[str]) -> None:
        assert set(procedures) <= {PROCEDURE["id"]}

    async def find_open_groups(self, _: object, counters: Collection[CounterKey]) -> dict[CounterKey, str]:
        return {counter: self.open_groups[counter] for counter in counters if counter in self.open_groups}

    async def find_occurrences(
        self, _: object, queries: Sequence[GroupQuery], whole_counters: Collection[CounterKey], _open_counters: object, _people_of: object
    ) -> tuple[list[tuple[CounterKey, Occurrence]], set[CounterKey]]:
        rows = [row for query in queries for row in self._select(query, whole=query.counter in whole_counters)]
        people = {query.counter for query in queries if query.counts_people and query.window is None} - set(whole_counters)
        held = Counter(counter for counter, _ in self.occurrences)
        return rows, {counter for counter in people if len({o.case for key, o in rows if key == counter}) == held[counter] > 0}

    def _select(self, query: GroupQuery, *, whole: bool) -> Iterable[tuple[CounterKey, Occurrence]]:
        rows = [(counter, o) for (counter, _), o in sorted(self.occurrences.items(), key=lambda item: item[1]) if counter == query.counter]
        if query.complainants:
            names = self.people.names(self.people.person(query.complainants))
            reached = connected(names, [self.people.names(o.person) for _, o in rows])
            return [row for row in rows if not reached.isdisjoint(self.people.names(row[1].person))]
        if query.window is None:
            unknown = [row for row in rows if not row[1].person]
            by_person = {row[1].person: row for row in rows if row[1].person}
            return rows if whole or not query.counts_people else [*unknown, *by_person.values()]
        at, window = query.received_at, query.window
        before = [row for row in rows if at - window <= row[1].received_at <= at][-query.max_neighbours :]
        after = [row for row in rows if at < row[1].received_at <= at + window][: query.max_neighbours]
        return before + after

    async def find_case_occurrences(self, _: object, case_ids: Collection[str]) -> list[tuple[CounterKey, Occurrence]]:
        return [(counter, o) for (counter, case), o in self.occurrences.items() if case in case_ids]

    async def find_group_members(self, _: object, groups: Collection[tuple[CounterKey, str]]) -> list[tuple[CounterKey, Occurrence]]:
        return [(counter, o) for (counter, _), o in self.occurrences.items() if (counter, o.group) in groups]

    async def save_occurrences(
        self, _: object, changed: Sequence[tuple[CounterKey, Occurrence]], removed: Sequence[tuple[CounterKey, str]]
    ) -> None:
        for key in removed:
            del self.occurrences[key]
        self.occurrences |= {(counter, o.case): o for counter, o in changed}

    async def save_open_groups(self, _: object, groups: Mapping[CounterKey, str]) -> None:
        self.open_groups |= groups

    async def enter_people(self, _: object, submissions: Sequence[tuple[PersonKeys, datetime]]) -> None:
        for keys, at in submissions:
            self.changed += [(person, at) for person in self.people.add(keys).changed]

    async def load_keys(self, _: object, _keys: Collection[str]) -> PersonDirectory:
        return self.people

    async def nothing(self, *_: object) -> None:
        """People are known already."""

    async def find_connected(self, *_: object) -> dict[str, set[str]]:
        return defaultdict(set)

    async def find_procedures_behind(self, _: object, procedures: Collection[str]) -> list[str]:
        return sorted(procedures) if self.changed else []

    async def take_recounts(
        self, _: object, _procedure: str, counted_around: Collection[str], _limit: int
    ) -> list[tuple[CounterKey, str, datetime]]:
        tasks: dict[tuple[CounterKey, str], datetime] = {}
        for person, at in self.changed:
            taken: set[CounterKey] = set()
            for (counter, case), o in sorted(self.occurrences.items(), key=lambda item: item[0][1]):
                if o.person and self.people.is_one_of(o.person, [person]):
                    if counter not in taken or counter.count in counted_around:
                        tasks.setdefault((counter, case), at)
                    taken.add(counter)
        self.changed = []
        ordered = sorted(tasks.items(), key=lambda task: (task[0][0].count, task[0][0].key, task[0][1]))
        return [(counter, case, at) for (counter, case), at in ordered]

    async def publish(self, _: object, records: Iterable[CloudEventRecord]) -> None:
        self.published += [orjson.loads(record.body) for record in records]


class StubTransaction:
    """Stores nothing of whom cases concern, and counts no metrics."""

    async def fetch(self, _statement: str, *_parameters: object) -> list[dict[str, Any]]:
        """Nobody is concerned yet."""
        return []

    async def execute(self, _statement: str, *_parameters: object) -> None:
        """Nothing is stored."""

    async def executemany(self, _statement: str, _rows: object) -> None:
        """No group has a page."""

    async def copy_rows(self, *_: object) -> None:
        """No group has a history."""

    def after_commit(self, _: object) -> None:
        """Metrics are not counted."""


def registry_of(folder: Path, procedure: dict[str, Any]) -> ProcedureRegistry:
    (folder / "procedure.yaml").write_text(yaml.safe_dump(procedure, allow_unicode=True), encoding="utf-8")
    organisation = {"id": "test", "departments": [{"id": "unassigned"}], "sources": [{"id": "web", "procedure": "procedure.yaml"}]}
    return ProcedureRegistry(Organisation.model_validate(organisation), folder)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> ProcedureRegistry:
    return registry_of(tmp_path_factory.mktemp("organisation"), PROCEDURE)


async def decide(registry: ProcedureRegistry, cut: Sequence[Sequence[CaseEvent]]) -> InMemoryTables:
    """Decide on the batches one after another; gives the tables after the last one."""
    tables = InMemoryTables()
    with pytest.MonkeyPatch.context() as patch:
        for module, names in (
            (triage_cases, ("find_cases", "find_procedures", "save_cases")),
            (group_counters, ("lock_counting", "find_open_groups", "find_occurrences", "find_case_occurrences", "find_group_members")),
            (group_counters, ("save_occurrences", "save_open_groups")),
            (recounts, ("find_procedures_behind", "take_recounts")),
            (persons, ("find_connected",)),
        ):
            for name in names:
                patch.setattr(module, name, getattr(tables, name))
        patch.setattr(triage, "enter_people", tables.enter_people)
        patch.setattr(state_loading, "load_keys", tables.load_keys)
        patch.setattr(state_loading, "learn_people", tables.nothing)
        patch.setattr(outbox, "add", tables.publish)
        use_case = TriageComplaints(registry, Clock())
        for batch in cut:
            records = [received_record(COMPLAINT_EVENTS, event, "intake") for event in batch]
            await use_case.decide_batch(cast("Transaction", StubTransaction()), records)
    return tables


def decided_fields(event: Mapping[str, Any]) -> dict[str, Any]:
    """The event without the instant of its recording."""
    return {name: value for name, value in event.items() if name != "recorded_at"}


@given(events=case_events(), sizes=st.lists(st.integers(1, 8), max_size=10))
@settings(max_examples=200, deadline=None)
async def test_batches_on_loaded_state_decide_like_one_run_in_memory(
    registry: ProcedureRegistry, events: list[CaseEvent], sizes: list[int]
) -> None:
    state, published = decide_in_memory(split_batches(events, sizes), registry.rules(PROCEDURE["id"], PROCEDURE["version"], {}))
    tables = await decide(registry, split_batches(events, sizes))
    assert [decided_fields(event) for event in tables.published] == [decided_fields(orjson.loads(encode_event(e))) for e in published]
    expected = {(counter, o.case): (o, o.group) for counter, group_counter in state.counters.items() for o in group_counter.occurrences}
    assert {key: (o, o.group) for key, o in tables.occurrences.items()} == expected
    assert {case: row.held_class for case, row in tables.cases.items()} == {
        case: triage_case.effective.class_ for case, triage_case in state.cases.items()
    }


async def test_each_event_is_assessed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_set = [entry for entry in PROCEDURE["counts"] if "set" not in entry["does"]]
    assessed: list[str] = []

    def count(complaint: Complaint, *arguments: Any, **options: Any) -> TriageDecision:
        assessed.append(complaint.case)
        return assess(complaint, *arguments, **options)

    monkeypatch.setattr(event_assessment, "assess", count)
    registrations = [registration(case, minute, {"policy": "a"}, [f"phone:{case}"]) for minute, case in enumerate("abcd")]
    amendments = [Amended(case=case, at=START, role="handler", facts={"policy": "b"}) for case in "ab"]
    without_effect = Amended(case="a", at=START, role="handler", facts={"policy": "b"})
    registry = registry_of(tmp_path, PROCEDURE | {"counts": without_set})
    await decide(registry, [registrations[:2], [*registrations[2:], *amendments, without_effect]])
    assert assessed == ["a", "b", "c", "d", "a", "b"]


async def test_founder_that_joins_its_group_again_is_linked_to_the_first_other_member(registry: ProcedureRegistry) -> None:
    events: list[CaseEvent] = [registration(case, 200 * index, {"policy": "a"}, [f"phone:{case}"]) for index, case in enumerate("abcd")]
    events += [Amended(case="c", at=START, role="handler", facts={"policy": policy}) for policy in ("b", "a")]
    tables = await decide(registry, split_batches(events, []))
    links = [event["to_case"] for event in tables.published if event["case"] == "c" and "as" in event and event["group"] == "policy/c"]
    assert links == ["a", "a", "a"], "linked, unlinked, linked again"
