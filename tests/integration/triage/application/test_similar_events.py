"""The same event in other words on PostgreSQL: two processes, failed transactions and restarts give the events of one run in memory."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.triage.application.procedure_registry import ProcedureRegistry
from services.triage.application.triage import TriageComplaints
from shared.contracts.events.base import CaseEvent
from shared.contracts.events.from_work_to_closing import Unlinked
from shared.contracts.events.triage import Registered
from shared.contracts.topics import COMPLAINT_EVENTS
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database
from tests.integration.triage.application.conftest import registry_of, truncate
from tests.support.messaging.cloud_events import received_record
from tests.support.messaging.sample_organisation import registered_event, sample_complaint
from tests.support.scenarios.triage_batches import decide_in_memory

START = datetime(2026, 9, 24, 8, 0, tzinfo=UTC)
PROCEDURE: dict[str, Any] = {
    "id": "telling",
    "version": 1,
    "title": {"zh": "事件", "en": "Events"},
    "register": {"number": "E-{year}-{seq:05}"},
    "roles": ["handler"],
    "classes": [{"id": "batch", "when": "false"}, {"id": "ordinary"}],
    "counts": [
        {
            "id": "event",
            "similar": {"texts": 100},
            "threshold": 3,
            "distinct": "complainant",
            "window": "10d",
            "does": {"as": "same_event", "reclassify": "batch"},
        }
    ],
}
TEXTS = (
    "翠湖花园电梯停运三天，老人上不了楼",
    "翠湖花园的电梯坏了三天没有人修",
    "金桂花园电梯停运三天，老人上不了楼",
    "电梯停运三天没人修，老人上不了楼",
    "人民路的路灯坏了，晚上看不见",
    "人民路晚上看不见，路灯都坏了",
)


@pytest.fixture
def registry(tmp_path: Path) -> ProcedureRegistry:
    return registry_of(tmp_path, PROCEDURE)


def told(number: int, text: str, day: int, person: int) -> Registered:
    """The registration of a text."""
    complaint = sample_complaint(f"case-{number}", START + timedelta(days=day), text=text)
    registered = registered_event(complaint, PROCEDURE["id"], PROCEDURE["version"])
    return registered.model_copy(update={"complainant_keys": [f"phone:{person}"]})


texts = st.lists(st.tuples(st.sampled_from(TEXTS), st.integers(0, 25), st.integers(1, 4)), min_size=1, max_size=20)
batches = st.lists(st.tuples(st.integers(1, 5), st.integers(0, 1), st.sampled_from(["commit", "roll back", "restart"])), max_size=20)


class RolledBackError(Exception):
    """Ends a transaction."""


async def groups(database: Database) -> set[tuple[str, str, str]]:
    async with database.transaction() as tx:
        rows = await tx.fetch("SELECT case_id, key, group_id FROM mark WHERE count = 'event'")
    return {(row["case_id"], row["key"], row["group_id"]) for row in rows}


async def decide(database: Database, process: TriageComplaints, events: list[Registered], *, fails: bool) -> None:
    with suppress(RolledBackError):
        async with database.transaction() as tx:
            await process.decide_batch(tx, [received_record(COMPLAINT_EVENTS, event, "intake") for event in events])
            if fails:
                raise RolledBackError


@given(texts=texts, batches=batches)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_processes_failures_and_restarts_give_the_events_of_one_run_in_memory(
    database: Database, registry: ProcedureRegistry, texts: list[tuple[str, int, int]], batches: list[tuple[int, int, str]]
) -> None:
    await truncate(database)
    events = [told(number, *text) for number, text in enumerate(texts)]
    processes = [TriageComplaints(registry, Clock()) for _ in range(2)]
    remaining = list(events)
    for size, process, outcome in [*batches, *((1, 0, "commit") for _ in events)]:
        if outcome == "restart":
            processes[process] = TriageComplaints(registry, Clock())
        fails = outcome == "roll back"
        if remaining:
            await decide(database, processes[process], remaining[:size], fails=fails)
            remaining = remaining if fails else remaining[size:]
    one_by_one: list[list[CaseEvent]] = [[event] for event in events]
    state, _ = decide_in_memory(one_by_one, registry.rules(PROCEDURE["id"], PROCEDURE["version"], {}))
    counted = state.counters.items()
    assert await groups(database) == {(o.case, key.key, o.group) for key, c in counted if key.count == "event" for o in c.occurrences}


async def test_unlinked_member_stays_out_after_a_restart(database: Database, registry: ProcedureRegistry) -> None:
    process = TriageComplaints(registry, Clock())
    for number in range(4):
        await decide(database, process, [told(number, TEXTS[number % 2], 0, number)], fails=False)
    assert {group for _, _, group in await groups(database)} == {"event/case-2"}
    unlinked = Unlinked(case="case-3", at=START, role="handler", actor="li", to_case="case-2", kind_of_link="same_event")
    async with database.transaction() as tx:
        await process.decide_batch(tx, [received_record(COMPLAINT_EVENTS, unlinked, "sla")])
    await decide(database, TriageComplaints(registry, Clock()), [told(4, TEXTS[0], 0, 5)], fails=False)
    found = {case: group for case, _, group in await groups(database)}
    assert found["case-3"] == ""
    assert found["case-0"] == found["case-1"] == "event/case-2"
