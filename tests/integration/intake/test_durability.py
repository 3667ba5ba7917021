"""202 means durable; numbers have no gaps whatever fails; a killed process loses and repeats nothing."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from services.intake.application.group_commit import GroupCommit
from services.intake.bootstrap import build
from services.intake.config import IntakeSettings
from services.intake.storage import complaints
from shared.contracts import topics
from shared.runtime.database.database import Database, Transaction
from shared.runtime.errors import Unavailable
from shared.runtime.service import Service
from tests.integration.intake.conftest import query_rows, source_client
from tests.support.services import API_KEYS, SEALING_KEYS, TopicClient, submission_body
from tests.support.waiting import wait_for


async def numbers(service: Service) -> list[int]:
    found = await query_rows(service, "SELECT number FROM complaint")
    return sorted(int(row["number"].rpartition("-")[2]) for row in found)


async def test_numbers_have_no_gap_when_transactions_fail(intake: Service, web: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    insert, calls = complaints.insert, []

    async def sometimes(tx: Transaction, new: Sequence[Any]) -> None:
        await insert(tx, new)
        calls.append(len(new))
        if len(calls) % 3 == 0:
            raise Unavailable("shown by a test")

    monkeypatch.setattr(complaints, "insert", sometimes)
    answers = await asyncio.gather(*(web.post("/v1/complaints", json=submission_body()) for _ in range(40)))
    more = [await web.post("/v1/complaints", json=submission_body()) for _ in range(12)]
    accepted = [a.json() for a in [*answers, *more] if a.status_code == 202]
    refused = [a for a in [*answers, *more] if a.status_code != 202]
    assert {a.status_code for a in refused} == {503}
    assert all(a.headers["retry-after"] for a in refused)
    assert await numbers(intake) == list(range(1, len(accepted) + 1))


async def test_two_processes_share_one_book_without_gaps(settings: IntakeSettings) -> None:
    async with (
        build(settings).running() as one,
        build(settings).running() as two,
        source_client(one) as first,
        source_client(two) as second,
    ):
        sent = [submission_body(external_id=str(place % 30)) for place in range(60)]
        answers = await asyncio.gather(*(each.post("/v1/complaints", json=item) for item in sent for each in (first, second)))
        assert {a.status_code for a in answers} == {202}
        assert sum(a.json()["status"] == "registered" for a in answers) == 30
        assert await numbers(one) == list(range(1, 31))


async def test_a_fault_of_one_request_does_not_fail_those_that_shared_its_transaction(intake: Service) -> None:
    async def work(tx: Transaction, items: Sequence[str]) -> list[str]:
        await tx.execute("INSERT INTO refusal (via, source, reference, reason, faults) SELECT '', '', unnest($1::text[]), '', ''", items)
        return [item.upper() for item in items]

    group: GroupCommit[str, str] = GroupCommit(intake.database, work, 10)
    results = await asyncio.gather(*(group.submit([item]) for item in ("a", "b", "nul\x00", "c")), return_exceptions=True)
    assert results[:2] == [["A"], ["B"]]
    assert isinstance(results[2], Exception)
    assert results[3] == ["C"]
    assert [row["reference"] for row in await query_rows(intake, "SELECT reference FROM refusal ORDER BY 1")] == ["a", "b", "c"]


async def test_an_outage_fails_all_who_shared_and_the_next_succeed(intake: Service) -> None:
    async def work(tx: Transaction, items: Sequence[int]) -> Sequence[int]:
        await tx.execute("SELECT pg_terminate_backend(pg_backend_pid())" if 0 in items else "SELECT 1")
        return items

    group: GroupCommit[int, int] = GroupCommit(intake.database, work, 10)
    with pytest.raises(Exception, match="connection"):
        await group.submit([0])
    assert await group.submit([1]) == [1]


async def test_a_caller_who_hangs_up_takes_nobody_along(intake: Service) -> None:
    started, go = asyncio.Event(), asyncio.Event()

    async def work(_: Transaction, items: Sequence[int]) -> Sequence[int]:
        started.set()
        await go.wait()
        return items

    group: GroupCommit[int, int] = GroupCommit(intake.database, work, 10)
    gone = asyncio.create_task(group.submit([1]))
    await started.wait()
    other = asyncio.create_task(group.submit([2]))
    gone.cancel()
    go.set()
    assert await other == [2]


@asynccontextmanager
async def process(settings: IntakeSettings, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    environment = {
        **os.environ,
        "JIESU_ENVIRONMENT": "test",
        "JIESU_ORGANISATION": str(settings.organisation),
        "JIESU_TOPIC_PREFIX": settings.topic_prefix,
        "JIESU_SEALING_KEYS": SEALING_KEYS,
        "JIESU_HTTP_PORT": str(port),
        "JIESU_LOG_LEVEL": "ERROR",
        "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "DATABASE_URL": settings.database_url.get_secret_value(),
    }
    started = await asyncio.create_subprocess_exec(sys.executable, "-m", "services.intake", env=environment)
    try:
        yield started
    finally:
        if started.returncode is None:
            started.send_signal(signal.SIGKILL)
        await started.wait()


async def test_what_was_answered_before_a_kill_is_there_after_it_once(settings: IntakeSettings, wire: TopicClient, free_port: int) -> None:
    sent: dict[str, dict[str, Any]] = {f"ref-{place}": submission_body(external_id=f"ref-{place}") for place in range(200)}
    answered: dict[str, dict[str, Any]] = {}
    auth = {"Authorization": f"Bearer {API_KEYS['web']}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{free_port}", headers=auth, timeout=10) as caller:

        async def up() -> bool:
            try:
                return (await caller.get("/ready")).status_code == 200
            except httpx.TransportError:
                return False

        async def call(names: Sequence[str], running: asyncio.subprocess.Process, kill_at: int) -> None:
            for name in names:
                try:
                    answer = await caller.post("/v1/complaints", json=sent[name])
                except httpx.TransportError:
                    continue
                if answer.status_code == 202:
                    answered[name] = answer.json()
                if len(answered) >= kill_at and running.returncode is None:
                    running.send_signal(signal.SIGKILL)

        for kill_at in (60, 10_000):
            async with process(settings, free_port) as running:
                await wait_for(up)
                waiting = [name for name in sent if name not in answered]
                await asyncio.gather(*(call(waiting[lane::8], running, kill_at) for lane in range(8)))
                if kill_at == 10_000:

                    async def told() -> bool:
                        return len(await wire.read_records(topics.COMPLAINT_EVENTS)) >= len(sent)

                    await wait_for(told)
    assert answered.keys() == sent.keys()
    database = Database(settings, "intake")
    async with database.transaction() as tx:
        stored = {row["external_id"]: row for row in await tx.fetch("SELECT external_id, case_id, number FROM complaint")}
    await database.close()
    assert {name: row["case_id"] for name, row in stored.items()} == {name: a["case"] for name, a in answered.items()}
    assert sorted(int(row["number"].rpartition("-")[2]) for row in stored.values()) == list(range(1, len(sent) + 1))
    published = {key for _, key, _ in await wire.read_events(topics.COMPLAINT_EVENTS)}
    assert published == {row["case_id"] for row in stored.values()}
