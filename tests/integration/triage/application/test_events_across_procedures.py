"""Events across procedures on PostgreSQL: processes that decide under different procedures give the events of one run in memory."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.triage.application.procedure_registry import ProcedureRegistry
from services.triage.application.triage import TriageComplaints
from services.triage.domain.rule_scope import TriageContext
from services.triage.domain.state import TriageState
from shared.contracts.events.triage import Registered
from shared.contracts.topics import COMPLAINT_EVENTS
from shared.procedures.organisation_triage import ORGANISATION_SCOPE
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database
from tests.integration.triage.application.conftest import registry_of, truncate
from tests.support.messaging.cloud_events import received_record
from tests.support.messaging.sample_organisation import registered_event, sample_complaint

START = datetime(2026, 9, 24, 8, 0, tzinfo=UTC)
PROCEDURES: list[dict[str, Any]] = [
    {
        "id": name,
        "version": 1,
        "title": {"zh": "事件", "en": "Events"},
        "register": {"number": "E-{year}-{seq:05}"},
        "roles": ["handler"],
        "classes": [{"id": "batch", "when": "false"}, {"id": "ordinary"}],
    }
    for name in ("estates", "roads")
]
EVENT: dict[str, Any] = {
    "id": "city_event",
    "procedures": ["estates", "roads"],
    "similar": {"texts": 100},
    "threshold": 3,
    "distinct": "complainant",
    "window": "10d",
    "does": {"reclassify": "batch"},
}
TEXTS = (
    "翠湖花园电梯停运三天，老人上不了楼",
    "翠湖花园的电梯坏了三天没有人修",
    "人民路的路灯坏了，晚上看不见",
    "金桂花园电梯停运三天，老人上不了楼",
    "人民路晚上看不见，路灯都坏了",
)


@pytest.fixture
def registry(tmp_path: Path) -> ProcedureRegistry:
    return registry_of(tmp_path, *PROCEDURES, same_events=[EVENT])


def registration(number: int, person: int | None = None) -> Registered:
    """A case under one of the procedures, in turns."""
    complaint = sample_complaint(f"case-{number:02}", START + timedelta(minutes=number), text=TEXTS[number % len(TEXTS)])
    registered = registered_event(complaint, PROCEDURES[number % 2]["id"], 1)
    return registered.model_copy(update={"complainant_keys": [f"phone:{number if person is None else person}"]})


async def decide(database: Database, process: TriageComplaints, events: list[Registered]) -> None:
    async with database.transaction() as tx:
        await process.decide_batch(tx, [received_record(COMPLAINT_EVENTS, event, "intake") for event in events])


async def groups(database: Database) -> set[tuple[str, str, str]]:
    async with database.transaction() as tx:
        rows = await tx.fetch("SELECT procedure, case_id, key, group_id FROM mark WHERE count = 'city_event'")
    assert {row["procedure"] for row in rows} == {ORGANISATION_SCOPE}
    return {(row["case_id"], row["key"], row["group_id"]) for row in rows}


async def test_two_processes_and_a_restart_give_the_events_of_one_run_in_memory(database: Database, registry: ProcedureRegistry) -> None:
    await truncate(database)
    events = [registration(number, number % 6) for number in range(30)]
    processes = [TriageComplaints(registry, Clock()) for _ in range(2)]
    for start in range(0, 30, 5):
        if start == 15:
            processes[0] = TriageComplaints(registry, Clock())
        await decide(database, processes[start // 5 % 2], events[start : start + 5])
    state = TriageState()
    for event in events:
        state.add_case(event, registry.rules(event.procedure, 1, {}), TriageContext(event.at, ZoneInfo("Asia/Shanghai")))
    expected = {(o.case, key.key, o.group) for key, c in state.counters.items() if key.count == "city_event" for o in c.occurrences}
    assert len({group for _, _, group in expected if group}) > 1
    assert await groups(database) == expected


async def test_processes_of_different_procedures_find_each_event_once(database: Database, registry: ProcedureRegistry) -> None:
    await truncate(database)
    events = [registration(number) for number in range(20)]
    processes = [TriageComplaints(registry, Clock()) for _ in range(2)]

    async def decide_all(process: int) -> None:
        for event in events[process::2]:
            await decide(database, processes[process], [event])

    await asyncio.gather(decide_all(0), decide_all(1))
    found = await groups(database)
    assert len(found) == 20
    members: dict[str, set[str]] = {}
    for case, _, group in found:
        members.setdefault(group, set()).add(case)
    # Two estates and a road; the kind of lamp or lift is the same, the place is not.
    assert sorted(map(len, members.values())) == [4, 8, 8]
    async with database.transaction() as tx:
        alarms = await tx.fetch("SELECT group_id FROM group_history WHERE event = 'group_found'")
        classes = await tx.fetch("SELECT DISTINCT procedure, held_class FROM known")
    assert len(alarms) == 3
    assert {(row["procedure"], row["held_class"]) for row in classes} == {("estates", "batch"), ("roads", "batch")}


async def test_count_across_procedures_is_taken_again_when_two_people_are_one(database: Database, registry: ProcedureRegistry) -> None:
    await truncate(database)
    process = TriageComplaints(registry, Clock())
    cases = (registration(0, 1), registration(5, 2), registration(10, 3))
    await decide(database, process, list(cases))
    assert {group for _, _, group in await groups(database)} == {"city_event/case-10"}
    joined = registration(2).model_copy(update={"complainant_keys": ["phone:1", "phone:2"]})
    await decide(database, process, [joined])
    while [group for case, _, group in await groups(database) if group]:
        async with database.transaction() as tx:
            await process.recount(tx, ORGANISATION_SCOPE)
    assert {group for _, _, group in await groups(database)} == {""}
