"""`jiesu topics move`: the same tables on fresh topics with another number of partitions."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.service_names import SERVICES
from shared.contracts.topics import CASE_EVENTS
from shared.runtime.kafka.partitioner import partition_of
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.service import Service
from tests.support.messaging.all_services import PERSON_TOKEN, apply_all_topics, build_services, http_client, running, write_estate
from tests.support.messaging.idle import pending_rows
from tests.support.messaging.sample_organisation import submission_body
from tests.support.messaging.settings import SettingsFactory
from tests.support.messaging.topic_client import open_topic_client
from tests.support.servers.databases import asyncpg_dsn
from tests.support.servers.topics import Topics, fresh_prefix
from tests.support.waiting import wait_for

FEW, MORE = 3, 7
_UNMOVED_DEAD_LETTER = """
INSERT INTO sla.dead_letter (topic, partition, kafka_offset, key, headers, timestamp_ms, timestamp_type, reason, settled_at)
VALUES ('case-actions', 0, 0, 'k', '[]', 0, 0, 'r', now())
"""


async def _submit(services: Mapping[str, Service], reference: str) -> str:
    async with http_client(services["intake"]) as source:
        answer = await source.post("/v1/complaints", json=submission_body(external_id=reference))
    assert answer.is_success, answer.text
    return str(answer.json()["case"])


async def _answer(services: Mapping[str, Service], case: str) -> None:
    async def accepted() -> bool:
        async with http_client(services["sla"], PERSON_TOKEN) as person:
            action = {"action": "answer", "role": "assistant", "data": {"text": "已答复"}}
            return (await person.post(f"/v1/cases/{case}/actions", json=action)).is_success

    await wait_for(accepted, deadline=60, what=f"an answer on {case}")


async def _published(settings: SettingsFactory, case: str) -> list[str]:
    async with open_topic_client(settings(RuntimeSettings)) as client:
        return [kind for kind, key, _ in await client.read_events(replace(CASE_EVENTS, partitions=MORE)) if key == case]


async def _timer_partitions(database_url: str) -> dict[str, int]:
    connection = await asyncpg.connect(asyncpg_dsn(database_url))
    rows = await connection.fetch("SELECT case_id, partition FROM sla.timer")
    await connection.close()
    return {row["case_id"]: row["partition"] for row in rows}


async def test_cases_go_on_after_a_move_to_topics_with_more_partitions(
    make_settings: SettingsFactory, topics: Topics, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    organisation, database = write_estate(tmp_path), make_settings.database_url
    await apply_all_topics(make_settings(RuntimeSettings, topic_partitions=FEW))
    async with running(build_services(make_settings, organisation, topic_partitions=FEW)) as services:
        old = [await _submit(services, f"old-{number}") for number in range(6)]
        for case in old:
            await _answer(services, case)

        async def idle() -> bool:
            return not any((await pending_rows(database)).values())

        await wait_for(idle, deadline=60, what="nothing to send")
    before = await _timer_partitions(database)
    assert before == {case: partition_of(case, FEW) for case in before}
    assert set(old) <= set(before)

    connection = await asyncpg.connect(asyncpg_dsn(database))
    await connection.execute(_UNMOVED_DEAD_LETTER)
    await connection.close()
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("JIESU_TOPIC_PARTITIONS", str(MORE))
    done = await asyncio.to_thread(CliRunner().invoke, app, ["topics", "move"])
    assert done.exit_code == 0, done.output
    assert await _timer_partitions(database) == {case: partition_of(case, MORE) for case in before}

    moved = SettingsFactory(make_settings.bootstrap_servers, database, fresh_prefix())
    await apply_all_topics(moved(RuntimeSettings, topic_partitions=MORE))
    async with running(build_services(moved, organisation, topic_partitions=MORE)) as services:
        new = await _submit(services, "new")
        await _answer(services, new)
        await _answer(services, old[0])

        async def both_published() -> bool:
            # Of the old case only what happened since: its sequence goes on, on a fresh topic.
            return "first_answered" in await _published(moved, new) and await _published(moved, old[0]) != []

        await wait_for(both_published, deadline=60, what="events on the fresh topics")
        # The first record of the fresh topic has the place of an older dead letter, and becomes one all the same.
        async with open_topic_client(moved(RuntimeSettings)) as client:
            await client.send("case-actions", b"k", b"{", [])

        async def is_dead_letter() -> bool:
            async with services["sla"].database.transaction() as tx:
                return bool(await tx.fetchval("SELECT count(*) = 2 FROM dead_letter WHERE key = 'k'"))

        await wait_for(is_dead_letter, deadline=60, what="the dead letter")
    await topics.drop(moved.topic_prefix)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_move_is_refused_while_messages_wait(database_url: str, service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = await asyncpg.connect(asyncpg_dsn(database_url))
    await connection.execute("INSERT INTO sla.timer (case_id, partition, due_at) VALUES ('case-1', 23, now())")
    row = "(shard, topic, messages, keys, headers, bodies) VALUES (0, 't', 1, '{k}', '{}', '{}')"
    await connection.execute(f"INSERT INTO {service}.outbox {row}")
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("JIESU_TOPIC_PARTITIONS", "5")
    refused = await asyncio.to_thread(CliRunner().invoke, app, ["topics", "move"])
    assert refused.exit_code == 1
    assert f"{service}: 1 messages are not sent" in refused.output
    assert await connection.fetchval("SELECT partition FROM sla.timer") == 23
    await connection.close()
