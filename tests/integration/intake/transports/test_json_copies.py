"""Copies of submissions by HTTP and Kafka: of refused ones, and of accepted ones by a setting; a replay registers the missing ones."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import httpx
import orjson

from services.intake.bootstrap import build, make_parts
from services.intake.config import IntakeSettings
from services.intake.storage import raw_copies
from services.intake.storage.raw_copies import RawHead
from services.intake.transports.replay import ReplayTools, make_tools, replay
from shared.procedures.checks.organisation.organisation_check import load_checked_organisation
from shared.runtime.clock import Clock
from shared.runtime.encryption import EncryptionKeyRing
from shared.runtime.service import Service
from tests.integration.intake.conftest import query_rows, source_client
from tests.integration.intake.test_kafka import submit, wait_rows
from tests.support.messaging.sample_organisation import SOURCES, submission_body, write_organisation
from tests.support.messaging.topic_client import TopicClient

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


def with_web_channels(tmp_path: Path, *channels: str) -> None:
    """The organisation whose source `web` may submit on these channels."""
    write_organisation(tmp_path, sources=[SOURCES[0] | {"channels": list(channels)}, *SOURCES[1:]])


@asynccontextmanager
async def intake_of(settings: IntakeSettings, *keep: Literal["http", "kafka"]) -> AsyncIterator[Service]:
    async with build(settings.model_copy(update={"raw_keep": list(keep)})).running() as service:
        yield service


def tools_of(service: Service, settings: IntakeSettings, *, dry_run: bool = False) -> ReplayTools:
    organisation = load_checked_organisation(settings.organisation)
    key_ring = EncryptionKeyRing.parse(settings.sealing_keys)
    parts = make_parts(settings, organisation, key_ring, Clock.parse("", "test"), service.database)
    return make_tools(service.database, parts, dry_run=dry_run)


async def outcomes(tools: ReplayTools, channel: str) -> list[dict[str, int]]:
    return [dict(copy.counts) async for copy in replay(tools, BEGINNING, channel=channel)]


async def heads(service: Service) -> list[RawHead]:
    async with service.database.transaction() as tx:
        return await raw_copies.find_heads(tx, BEGINNING, "", "", "", 100)


async def registrations(service: Service) -> list[dict[str, Any]]:
    rows = await query_rows(service, "SELECT body FROM complaint ORDER BY number")
    return [orjson.loads(row["body"])["complaint"] for row in rows]


async def texts(service: Service) -> list[str]:
    return [complaint["text"] for complaint in await registrations(service)]


async def test_refused_by_http_is_kept_with_its_reference_and_registered_once_by_a_replay(settings: IntakeSettings, tmp_path: Path) -> None:
    with_web_channels(tmp_path, "hotline")
    referenced = submission_body(text="with a reference", channel="letter", external_id="R-1")
    plain = submission_body(text="without one", channel="letter")
    async with intake_of(settings) as service, source_client(service) as web:
        answer = await web.post("/v1/complaints", json=referenced, headers={"Idempotency-Key": "k-1"})
        assert answer.status_code == 403
        good = submission_body(text="accepted", channel="hotline", external_id="R-2")
        batch = {"complaints": [plain, good, {"text": "no time"}]}
        assert (await web.post("/v1/complaints:batch", json=batch)).status_code == 207
        copies = await heads(service)
        assert [(head.channel, head.source, head.reference) for head in copies] == [("http", "web", ref) for ref in ("R-1", "", "")]
        [sealed] = await query_rows(service, "SELECT sealed FROM raw_copy WHERE reference = 'R-1'")
        assert "with a reference" not in sealed["sealed"]
        assert [row["reference"] for row in await query_rows(service, "SELECT reference FROM refusal ORDER BY id")] == ["R-1", "", ""]
        assert await outcomes(tools_of(service, settings), "http") == [{"refused": 1}] * 3
        with_web_channels(tmp_path, "hotline", "letter")
        assert await outcomes(tools_of(service, settings, dry_run=True), "http") == [{"valid": 1}, {"valid": 1}, {"refused": 1}]
        assert await outcomes(tools_of(service, settings), "http") == [{"registered": 1}, {"registered": 1}, {"refused": 1}]
        assert await outcomes(tools_of(service, settings), "http") == [{"duplicate": 1}, {"duplicate": 1}, {"refused": 1}]
        assert await texts(service) == ["accepted", "with a reference", "without one"]


async def test_sent_again_after_the_replay_finds_the_case_of_the_replay(settings: IntakeSettings, tmp_path: Path) -> None:
    with_web_channels(tmp_path, "hotline")
    body = submission_body(channel="letter")
    key = {"Idempotency-Key": "k-1"}
    async with intake_of(settings) as service, source_client(service) as web:
        assert (await web.post("/v1/complaints", json=body, headers=key)).status_code == 403
        with_web_channels(tmp_path, "hotline", "letter")
        assert await outcomes(tools_of(service, settings), "http") == [{"registered": 1}]
    async with intake_of(settings) as service, source_client(service) as web:
        assert (await web.post("/v1/complaints", json=body, headers=key)).json()["status"] == "duplicate"


async def test_text_that_the_registration_refuses_is_kept(web: httpx.AsyncClient, intake: Service) -> None:
    key = {"Idempotency-Key": "k-1"}
    assert (await web.post("/v1/complaints", json=submission_body(text="first"), headers=key)).status_code == 202
    assert (await web.post("/v1/complaints", json=submission_body(text="second"), headers=key)).status_code == 422
    assert len(await heads(intake)) == 1
    assert [row["reason"] for row in await query_rows(intake, "SELECT reason FROM refusal")] == ["key_reused"]


async def test_refused_by_kafka_is_kept_with_its_record_id_and_registered_once_by_a_replay(
    settings: IntakeSettings, topic_client: TopicClient, tmp_path: Path
) -> None:
    with_web_channels(tmp_path, "hotline")
    event_ids = ["018c251e-f3a5-7000-a75c-b1aa47266661", "018c251e-f3a5-7000-a75c-b1aa47266662"]
    async with intake_of(settings) as service:
        await submit(topic_client, submission_body(text="one", channel="letter"), event_id=event_ids[0])
        await submit(topic_client, submission_body(text="two", channel="letter", external_id="R-2"), event_id=event_ids[1])
        await submit(topic_client, submission_body(text="three", channel="hotline"), key="good")
        await wait_rows(service, "SELECT 1 FROM complaint", 1)
        await wait_rows(service, "SELECT 1 FROM refusal", 2)
        assert [(head.channel, head.reference) for head in await heads(service)] == [("kafka", event_ids[0]), ("kafka", "R-2")]
        with_web_channels(tmp_path, "hotline", "letter")
        assert await outcomes(tools_of(service, settings), "kafka") == [{"registered": 1}] * 2
        assert await outcomes(tools_of(service, settings), "kafka") == [{"duplicate": 1}] * 2
        assert sorted(await texts(service)) == ["one", "three", "two"]


async def test_accepted_ones_are_kept_only_on_demand_and_a_replay_finds_their_cases(
    settings: IntakeSettings, topic_client: TopicClient
) -> None:
    async def send(service: Service, *bodies: dict[str, Any]) -> None:
        async with source_client(service) as web:
            for body in bodies:
                assert (await web.post("/v1/complaints", json=body)).status_code == 202

    async with intake_of(settings) as service:
        await send(service, submission_body(text="before"))
        assert await heads(service) == []
    async with intake_of(settings, "http", "kafka") as service:
        # The second click has the case of the first one.
        clicked = submission_body(text="clicked")
        await send(service, clicked, clicked, submission_body(external_id="R-1"))
        await submit(topic_client, submission_body(text="record"))
        await wait_rows(service, "SELECT 1 FROM complaint", 4)
        assert [head.channel for head in await heads(service)] == ["http", "http", "http", "kafka"]
        # Later than a second click may come: only the case of the copy leads to the registration.
        async with service.database.transaction() as tx:
            await tx.execute("UPDATE complaint SET registered_at = registered_at - interval '1 hour'")
        tools = tools_of(service, settings)
        assert await outcomes(tools, "http") + await outcomes(tools, "kafka") == [{"duplicate": 1}] * 4


async def test_lost_registration_of_an_accepted_one_is_registered_again_with_case_and_instants(
    settings: IntakeSettings, topic_client: TopicClient
) -> None:
    async with intake_of(settings, "http", "kafka") as service, source_client(service) as web:
        instant = "2026-11-09T09:05:00.123456+08:00"
        for body in (submission_body(received_at=instant), submission_body(text="named", external_id="R-1", happened_at=instant)):
            assert (await web.post("/v1/complaints", json=body)).status_code == 202
        await submit(topic_client, submission_body(text="record", received_at=instant))
        await wait_rows(service, "SELECT 1 FROM complaint", 3)
        before = await registrations(service)
        await query_rows(service, "DELETE FROM complaint RETURNING 1")
        tools = tools_of(service, settings)
        assert await outcomes(tools, "http") + await outcomes(tools, "kafka") == [{"registered": 1}] * 3
        after = await registrations(service)
        for name in ("case", "text", "received_at", "happened_at"):
            assert [complaint.get(name) for complaint in after] == [complaint.get(name) for complaint in before]
