"""*The same person, directly or through a chain of others, whatever the order of arrival* (vocabulary.md), over all procedures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.triage.application.procedure_registry import ProcedureRegistry
from services.triage.application.triage import TriageComplaints
from services.triage.config import TriageSettings
from services.triage.storage import recounts
from services.triage.timers import recount_people
from shared.contracts.topics import COMPLAINT_EVENTS
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database
from tests.integration.triage.application.conftest import registry_of, truncate
from tests.support.messaging.cloud_events import received_record
from tests.support.scenarios.counting_procedures import CountedSubmission, members_by_brute_force, procedure, submissions

PROCEDURES = ("one", "other")


@pytest.fixture
async def databases(database_url: str) -> AsyncIterator[tuple[Database, Database]]:
    """The connections of two processes."""
    one, other = (Database(TriageSettings(environment="test", database_url=database_url), "triage") for _ in range(2))
    yield one, other
    await one.close()
    await other.close()


@pytest.fixture
def registry(tmp_path: Path) -> ProcedureRegistry:
    return registry_of(tmp_path, *(procedure(id_) for id_ in PROCEDURES))


async def decide(database: Database, triage: TriageComplaints, batches: Sequence[Sequence[CountedSubmission]]) -> None:
    for batch in batches:
        async with database.transaction() as tx:
            await triage.decide_batch(tx, [received_record(COMPLAINT_EVENTS, s.registered(), "intake") for s in batch])


async def members(database: Database) -> set[tuple[Any, ...]]:
    async with database.transaction() as tx:
        rows = await tx.fetch("SELECT procedure, count, key, case_id FROM mark WHERE group_id <> ''")
    return {tuple(row.values()) for row in rows}


def split(items: Sequence[CountedSubmission], size: int) -> list[Sequence[CountedSubmission]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


@given(arrived=submissions(PROCEDURES), sizes=st.tuples(st.integers(1, 4), st.integers(1, 4)), data=st.data())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_order_batches_and_two_processes_give_the_groups_of_the_whole_set(
    databases: tuple[Database, Database],
    registry: ProcedureRegistry,
    arrived: list[CountedSubmission],
    sizes: tuple[int, int],
    data: st.DataObject,
) -> None:
    await truncate(databases[0])
    triage = TriageComplaints(registry, Clock())
    at_first = data.draw(st.sets(st.sampled_from(arrived)))
    halves = [[s for s in arrived if s in at_first], [s for s in arrived if s not in at_first]]
    processes = zip(databases, halves, sizes, strict=True)
    await asyncio.gather(*(decide(database, triage, split(half, size)) for database, half, size in processes))
    await recount_people(databases[0], triage, asyncio.Event())
    assert await members(databases[0]) == members_by_brute_force(arrived)
    async with databases[0].transaction() as tx:
        assert not any((await recounts.count_waiting(tx)).values())
        assert await tx.fetchval("SELECT count(*) FROM person_change") == 0, "every procedure has followed the log"


async def test_submission_under_another_procedure_dissolves_the_group_of_two_people_who_are_one(
    databases: tuple[Database, Database], registry: ProcedureRegistry
) -> None:
    triage = TriageComplaints(registry, Clock())
    keys: list[tuple[str, ...]] = [("phone:x",), ("email:a",), ("phone:y",)]
    crowd = [CountedSubmission("one", "p", 100 * number, of_case) for number, of_case in enumerate(keys)]
    await decide(databases[0], triage, [crowd])
    assert {case for _, count, _, case in await members(databases[0]) if count == "people"} == {"one-0", "one-100", "one-200"}
    bridge = CountedSubmission("other", "q", 300, ("email:a", "phone:x"))
    await decide(databases[1], triage, [[bridge]])
    async with databases[0].transaction() as tx:
        assert await recounts.count_waiting(tx) == {"one": 1, "other": 0}
    await recount_people(databases[1], triage, asyncio.Event())
    assert {(count, case) for _, count, _, case in await members(databases[0])} == {("person", "one-0"), ("person", "one-100")}


async def test_a_batch_takes_a_bounded_number_of_counts_again(
    databases: tuple[Database, Database], registry: ProcedureRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.triage.application.triage.MAX_RECOUNTS", 1)
    triage = TriageComplaints(registry, Clock())
    arrived = [CountedSubmission("one", "p", minute, ("phone:x",) if minute % 2 else ("email:a",)) for minute in range(8)]
    arrived.append(CountedSubmission("one", "q", 8, ("email:a", "phone:x")))
    await decide(databases[0], triage, [arrived[:8], arrived[8:]])
    async with databases[0].transaction() as tx:
        waiting = (await recounts.count_waiting(tx))["one"]
    assert waiting == 11, "8 windows of different people, one count for each other entry and the matter, and one was taken"
    await recount_people(databases[0], triage, asyncio.Event())
    assert await members(databases[0]) == members_by_brute_force(arrived)
