"""Durability: 202 only after the commit, numbers without gaps, nothing lost or repeated by a killed process."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
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
from tests.support.messaging.key_client import key_client
from tests.support.messaging.sample_organisation import API_KEYS, ENCRYPTION_KEYS, SOURCES, submission_body, write_organisation
from tests.support.messaging.topic_client import TopicClient
from tests.support.waiting import wait_for


async def numbers(service: Service) -> list[int]:
    rows = await query_rows(service, "SELECT number FROM complaint")
    return sorted(int(row["number"].rpartition("-")[2]) for row in rows)


async def test_failed_transactions_leave_no_gap_in_the_numbers(
    intake: Service, web: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert_complaints, calls = complaints.insert_complaints, []

    async def fail_every_third_call(tx: Transaction, rows: Sequence[Any]) -> None:
        await insert_complaints(tx, rows)
        calls.append(len(rows))
        if len(calls) % 3 == 0:
            raise Unavailable("raised by a test")

    monkeypatch.setattr(complaints, "insert_complaints", fail_every_third_call)
    answers = await asyncio.gather(*(web.post("/v1/complaints", json=submission_body()) for _ in range(40)))
    answers += [await web.post("/v1/complaints", json=submission_body()) for _ in range(12)]
    accepted = [answer for answer in answers if answer.status_code == 202]
    refused = [answer for answer in answers if answer.status_code != 202]
    assert {answer.status_code for answer in refused} == {503}
    assert all(answer.headers["retry-after"] for answer in refused)
    assert await numbers(intake) == list(range(1, len(accepted) + 1))


async def test_two_processes_share_one_number_series_without_gaps(settings: IntakeSettings) -> None:
    async with (
        build(settings).running() as first,
        build(settings).running() as second,
        source_client(first) as first_client,
        source_client(second) as second_client,
    ):
        bodies = 2 * [submission_body(external_id=str(index)) for index in range(30)]
        clients = (first_client, second_client)
        answers = await asyncio.gather(*(client.post("/v1/complaints", json=body) for body in bodies for client in clients))
        assert {answer.status_code for answer in answers} == {202}
        assert sum(answer.json()["status"] == "registered" for answer in answers) == 30
        assert await numbers(first) == list(range(1, 31))


async def test_faulty_request_does_not_fail_others_of_its_group_commit(intake: Service) -> None:
    async def work(tx: Transaction, items: Sequence[str]) -> list[str]:
        await tx.execute("INSERT INTO refusal (via, source, reference, reason, faults) SELECT '', '', unnest($1::text[]), '', ''", items)
        return [item.upper() for item in items]

    group: GroupCommit[str, str] = GroupCommit(intake.database, work, 10)
    results = await asyncio.gather(*(group.submit([item]) for item in ("a", "b", "nul\x00", "c")), return_exceptions=True)
    assert results[:2] == [["A"], ["B"]]
    assert isinstance(results[2], Exception)
    assert results[3] == ["C"]
    assert [row["reference"] for row in await query_rows(intake, "SELECT reference FROM refusal ORDER BY 1")] == ["a", "b", "c"]


async def test_outage_fails_one_group_commit_and_the_next_succeeds(intake: Service) -> None:
    async def work(tx: Transaction, items: Sequence[int]) -> Sequence[int]:
        await tx.execute("SELECT pg_terminate_backend(pg_backend_pid())" if 0 in items else "SELECT 1")
        return items

    group: GroupCommit[int, int] = GroupCommit(intake.database, work, 10)
    with pytest.raises(Exception, match="connection"):
        await group.submit([0])
    assert await group.submit([1]) == [1]


async def test_disconnected_caller_does_not_cancel_the_group_commit(intake: Service) -> None:
    started, may_finish = asyncio.Event(), asyncio.Event()

    async def work(_: Transaction, items: Sequence[int]) -> Sequence[int]:
        started.set()
        await may_finish.wait()
        return items

    group: GroupCommit[int, int] = GroupCommit(intake.database, work, 10)
    disconnected = asyncio.create_task(group.submit([1]))
    await started.wait()
    other = asyncio.create_task(group.submit([2]))
    disconnected.cancel()
    may_finish.set()
    assert await other == [2]


async def test_while_many_requests_wait_long_further_ones_of_sources_are_refused(settings: IntakeSettings) -> None:
    settings = settings.model_copy(update={"overload_seconds": 0.25})
    async with build(settings).running() as intake, source_client(intake) as web:
        waiting: list[asyncio.Task[httpx.Response]] = []

        async def submit(patience: float = 0.5) -> httpx.Response | None:
            """The answer if it comes at once; else the request is added to those that wait."""
            request = asyncio.create_task(web.post("/v1/complaints", json=submission_body()))
            await asyncio.wait([request], timeout=patience)
            if request.done():
                return request.result()
            waiting.append(request)
            return None

        async with intake.database.transaction() as tx:
            await tx.execute("LOCK TABLE book")
            for _ in range(31):
                await submit(patience=0)
            assert await submit(patience=1) is None  # however long few requests wait, one more is taken
            late = await wait_for(submit, what="a refusal")
        accepted = [await request for request in waiting]
        assert {answer.status_code for answer in accepted} == {202}
        assert late is not None
        assert (late.status_code, late.headers["retry-after"]) == (429, "1")
        assert late.json()["errors"][0]["rule"] == "overloaded"
        assert await numbers(intake) == list(range(1, len(accepted) + 1))


async def test_late_sources_are_refused_whole_and_the_person_among_them_is_taken(settings: IntakeSettings, tmp_path: Path) -> None:
    clerk = {"id": "li", "roles": ["handler"], "token_sha256": sha256(b"li-token").hexdigest()}
    organisation = write_organisation(tmp_path, people=[clerk], sources=[SOURCES[0] | {"entered_by": ["handler"]}])
    settings = settings.model_copy(update={"overload_seconds": 1.0, "organisation": organisation})
    async with build(settings).running() as intake, source_client(intake) as web, key_client(intake, "li-token") as person:

        def submit(client: httpx.AsyncClient, **fields: str) -> asyncio.Task[httpx.Response]:
            return asyncio.create_task(client.post("/v1/complaints", json=submission_body(**fields)))

        async def is_locked_out() -> Any:
            return await query_rows(
                intake, "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )

        async with intake.database.transaction() as tx:
            await tx.execute("LOCK TABLE book")
            begun = submit(web)
            await wait_for(is_locked_out)
            entered = submit(person, source="web", channel="letter")
            others = [submit(web) for _ in range(40)]
            # Longer than the limit; a busy machine may refuse the last of them before routing.
            await asyncio.wait([begun], timeout=2)
            waiting = [request for request in others if not request.done()]
        assert {(await request).status_code for request in (begun, entered)} == {202}
        late = [answer for request in waiting if (answer := await request).status_code == 429]
        assert late
        assert {answer.headers["retry-after"] for answer in late} == {"1"}
        assert {answer.json()["errors"][0]["rule"] for answer in late} == {"overloaded"}
        accepted = [request for request in (begun, entered, *others) if (await request).status_code == 202]
        assert await numbers(intake) == list(range(1, len(accepted) + 1))


@asynccontextmanager
async def process(settings: IntakeSettings, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    environment = {
        **os.environ,
        "JIESU_ENVIRONMENT": "test",
        "JIESU_ORGANISATION": str(settings.organisation),
        "JIESU_TOPIC_PREFIX": settings.topic_prefix,
        "JIESU_SEALING_KEYS": ENCRYPTION_KEYS.get_secret_value(),
        "JIESU_HTTP_PORT": str(port),
        "JIESU_LOG_LEVEL": "ERROR",
        "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "DATABASE_URL": settings.database_url.get_secret_value(),
    }
    intake = await asyncio.create_subprocess_exec(sys.executable, "-m", "services.intake", env=environment)
    try:
        yield intake
    finally:
        if intake.returncode is None:
            intake.send_signal(signal.SIGKILL)
        await intake.wait()


async def test_killed_process_loses_and_repeats_no_answered_complaint(
    settings: IntakeSettings, topic_client: TopicClient, free_port: int
) -> None:
    sent: dict[str, dict[str, Any]] = {f"ref-{index}": submission_body(external_id=f"ref-{index}") for index in range(200)}
    answered: dict[str, dict[str, Any]] = {}
    auth = {"Authorization": f"Bearer {API_KEYS['web']}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{free_port}", headers=auth, timeout=10) as client:

        async def is_ready() -> bool:
            try:
                return (await client.get("/ready")).status_code == 200
            except httpx.TransportError:
                return False

        async def submit(references: Sequence[str], intake: asyncio.subprocess.Process, kill_at: int) -> None:
            for reference in references:
                try:
                    answer = await client.post("/v1/complaints", json=sent[reference])
                except httpx.TransportError:
                    continue
                if answer.status_code == 202:
                    answered[reference] = answer.json()
                if len(answered) >= kill_at and intake.returncode is None:
                    intake.send_signal(signal.SIGKILL)

        for kill_at in (60, 10_000):
            async with process(settings, free_port) as intake:
                await wait_for(is_ready)
                unanswered = [reference for reference in sent if reference not in answered]
                await asyncio.gather(*(submit(unanswered[number::8], intake, kill_at) for number in range(8)))
                if kill_at == 10_000:

                    async def all_published() -> bool:
                        return len(await topic_client.read_records(topics.COMPLAINT_EVENTS)) >= len(sent)

                    await wait_for(all_published)
    assert answered.keys() == sent.keys()
    database = Database(settings, "intake")
    async with database.transaction() as tx:
        stored = {row["external_id"]: row for row in await tx.fetch("SELECT external_id, case_id, number FROM complaint")}
    await database.close()
    assert {ref: row["case_id"] for ref, row in stored.items()} == {ref: answer["case"] for ref, answer in answered.items()}
    assert sorted(int(row["number"].rpartition("-")[2]) for row in stored.values()) == list(range(1, len(sent) + 1))
    published = {key for _, key, _ in await topic_client.read_events(topics.COMPLAINT_EVENTS)}
    assert published == {row["case_id"] for row in stored.values()}
