"""Loading by SQL: batches on PostgreSQL decide as one run in memory does."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.triage.application.procedure_registry import ProcedureRegistry
from services.triage.application.triage import TriageComplaints
from shared.contracts.events import encode_event
from shared.contracts.events.base import CaseEvent
from shared.contracts.events.up_to_approval import Amended
from shared.contracts.topics import COMPLAINT_EVENTS
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database
from tests.integration.triage.application.conftest import registry_of, truncate
from tests.support.messaging.cloud_events import received_record
from tests.support.scenarios.triage_batches import PROCEDURE, START, case_events, decide_in_memory, registration, split_batches

EventsByCase = dict[str, list[dict[str, Any]]]


@pytest.fixture
def registry(tmp_path: Path) -> ProcedureRegistry:
    return registry_of(tmp_path, PROCEDURE)


def by_case(bodies: list[bytes]) -> EventsByCase:
    events: EventsByCase = defaultdict(list)
    for body in bodies:
        event = orjson.loads(body)
        event.pop("recorded_at", None)
        events[event["case"]].append(event)
    return events


async def published_events(database: Database) -> EventsByCase:
    async with database.transaction() as tx:
        rows = await tx.fetch("SELECT bodies FROM outbox ORDER BY id")
    return by_case([body for row in rows for body in row["bodies"]])


@given(events=case_events(), sizes=st.lists(st.integers(1, 8), max_size=10))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_batches_in_postgresql_decide_like_one_run_in_memory(
    database: Database, registry: ProcedureRegistry, events: list[CaseEvent], sizes: list[int]
) -> None:
    await check_batches(database, registry, events, sizes)


async def test_group_dissolves_when_two_of_its_people_turn_out_to_be_one(database: Database, registry: ProcedureRegistry) -> None:
    # Of two cases of `email:a` one is loaded to count people; the other one is counted again.
    events: list[CaseEvent] = [
        registration("case-3", 45, {}, []),
        registration("case-6", 30, {"policy": "b"}, ["email:a"]),
        registration("case-10", 15, {"policy": "b"}, ["email:a"]),
        registration("case-0", 105, {"policy": "b"}, ["id_number:1"]),
        Amended(case="case-3", at=START, role="handler", facts={"policy": "b"}),
        registration("case-1", 120, {}, ["email:a", "id_number:1"]),
    ]
    await check_batches(database, registry, events, [])


async def check_batches(database: Database, registry: ProcedureRegistry, events: list[CaseEvent], sizes: list[int]) -> None:
    """Compare what is published and counted."""
    await truncate(database)
    use_case = TriageComplaints(registry, Clock())
    for batch in split_batches(events, sizes):
        async with database.transaction() as tx:
            await use_case.decide_batch(tx, [received_record(COMPLAINT_EVENTS, event, "intake") for event in batch])
    state, published = decide_in_memory(split_batches(events, sizes), registry.rules(PROCEDURE["id"], PROCEDURE["version"], {}))
    assert await published_events(database) == by_case([encode_event(event) for event in published])
    async with database.transaction() as tx:
        rows = await tx.fetch("SELECT count, key, case_id, group_id FROM mark")
    expected = {(key.count, key.key, o.case, o.group) for key, counter in state.counters.items() for o in counter.occurrences}
    assert {tuple(row.values()) for row in rows} == expected
