"""Complaints by Kafka: registered once, refusals stored, dead letters for unknown sources and unreadable records."""

from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr

from services.intake.bootstrap import build
from services.intake.config import IntakeSettings
from shared.contracts import topics
from shared.runtime.kafka.topic_admin import apply_topics
from shared.runtime.service import Service
from tests.integration.intake.conftest import query_rows
from tests.support.messaging.cloud_events import cloud_event, cloud_event_headers, signature_headers
from tests.support.messaging.sample_organisation import SOURCES, submission_body, write_organisation
from tests.support.messaging.topic_client import TopicClient
from tests.support.waiting import wait_for

TOPIC = topics.COMPLAINT_SUBMISSIONS


async def submit(topic_client: TopicClient, value: Any, key: str = "ref-1", source: str = "web", event_id: str = "") -> None:
    await topic_client.publish(cloud_event(TOPIC, key, "submission", value, source, event_id))


async def wait_rows(service: Service, query: str, count: int) -> list[Any]:
    async def enough_rows() -> list[Any] | None:
        rows = await query_rows(service, query)
        return rows if len(rows) >= count else None

    rows = await wait_for(enough_rows, what=query)
    assert rows is not None
    assert len(rows) == count
    return list(rows)


async def test_record_sent_again_by_kafka_or_http_is_the_same_case(
    intake: Service, topic_client: TopicClient, web: httpx.AsyncClient
) -> None:
    body = submission_body(external_id="HC-1")
    for event_id in (str(uuid4()), str(uuid4())):
        await submit(topic_client, body, event_id=event_id)
        await submit(topic_client, body, event_id=event_id)
    [row] = await wait_rows(intake, "SELECT case_id, number FROM complaint", 1)
    answer = (await web.post("/v1/complaints", json=body)).json()
    assert (answer["status"], answer["case"], answer["number"]) == ("duplicate", row["case_id"], row["number"])
    await submit(topic_client, submission_body(external_id="HC-2"), key="ref-2")
    await wait_rows(intake, "SELECT 1 FROM complaint", 2)

    async def both_published() -> bool:
        return len(await topic_client.read_records(topics.COMPLAINT_EVENTS)) >= 2

    await wait_for(both_published)
    assert len(await topic_client.read_records(topics.COMPLAINT_EVENTS)) == 2


async def test_record_without_external_id_is_identified_by_its_event_id(intake: Service, topic_client: TopicClient) -> None:
    event_id = str(uuid4())
    await submit(topic_client, submission_body(), event_id=event_id)
    await submit(topic_client, submission_body(), event_id=event_id)
    await submit(topic_client, submission_body())
    # The inbox holds two ids only after all three records were read, so that no other complaint can follow.
    await wait_rows(intake, "SELECT 1 FROM inbox", 2)
    assert len(await query_rows(intake, "SELECT 1 FROM complaint")) == 2


async def test_unknown_source_wrong_type_and_malformed_json_are_dead_letters(intake: Service, topic_client: TopicClient) -> None:
    await submit(topic_client, submission_body(), key="unknown", source="unknown")
    await submit(topic_client, b"{", key="broken")
    await submit(topic_client, b"\xff", key="bytes")
    await topic_client.publish(cloud_event(TOPIC, "type", "complaint", submission_body(), "web"))
    await topic_client.publish(cloud_event(TOPIC, "null", "submission", submission_body(), "web"), [("other", None)])
    await submit(topic_client, submission_body(external_id="after"), key="broken")
    letters = await wait_rows(intake, "SELECT key, reason FROM dead_letter ORDER BY key", 4)
    assert [row["key"] for row in letters] == ["broken", "bytes", "type", "unknown"]
    assert "ce_source" in letters[3]["reason"]
    await wait_rows(intake, "SELECT 1 FROM complaint", 2)
    assert await query_rows(intake, "SELECT 1 FROM parked") == []


async def test_source_may_be_named_in_the_body(intake: Service, topic_client: TopicClient) -> None:
    headers = [(name, value) for name, value in cloud_event_headers(TOPIC, "submission") if name != "ce_source"]
    await topic_client.send(TOPIC.name, b"a", orjson.dumps(submission_body(source="web")), headers)
    [row] = await wait_rows(intake, "SELECT source FROM complaint", 1)
    assert row["source"] == "web"


async def test_refusals_are_stored_with_reason_and_faults_and_counted(intake: Service, topic_client: TopicClient) -> None:
    without_time = submission_body()
    del without_time["received_at"]
    await submit(topic_client, without_time, key="a")
    await submit(topic_client, submission_body(text="  "), key="b")
    await submit(topic_client, submission_body(channel="web"), key="c", source="hotline")
    await submit(topic_client, submission_body(received_at="2098-01-01T00:00:00Z"), key="d")
    await submit(topic_client, b'"text"', key="e")
    await submit(topic_client, submission_body(text="x", title="y" * 300_000), key="f")
    await submit(topic_client, submission_body(), key="good")
    rows = await wait_rows(intake, "SELECT reference, reason, faults, source, via FROM refusal ORDER BY reference", 6)
    assert [row["reason"] for row in rows] == ["missing", "invalid", "channel", "implausible", "invalid", "too_large"]
    assert [(row["source"], row["via"]) for row in rows[1:3]] == [("web", "kafka"), ("hotline", "kafka")]
    assert orjson.loads(rows[0]["faults"]) == [{"field": "received_at", "rule": "missing"}]
    await wait_rows(intake, "SELECT 1 FROM complaint", 1)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{intake.http_port}") as client:
        text = (await client.get("/metrics")).text
    assert 'jiesu_intake_refused_total{reason="implausible",via="kafka"}' in text


async def test_nul_and_lone_surrogates_fail_no_record_of_the_batch(intake: Service, topic_client: TopicClient) -> None:
    for index in range(20):
        await submit(topic_client, submission_body(external_id=f"good-{index}"), key=f"k{index}")
    await submit(topic_client, b'{"text": "\\u0000\\udfff", "received_at": "2026-09-24T16:40:00+08:00"}', key="k1")
    await submit(topic_client, submission_body(external_id="last"), key="k2")
    rows = await wait_rows(intake, "SELECT body FROM complaint", 22)
    assert not any("\\u0000" in row["body"] or "\\ud" in row["body"] for row in rows)
    assert await query_rows(intake, "SELECT 1 FROM dead_letter") == []


async def test_source_with_public_keys_has_to_sign_its_records(settings: IntakeSettings, topic_client: TopicClient, tmp_path: Path) -> None:
    private = Ed25519PrivateKey.generate()
    public = b64encode(private.public_key().public_bytes_raw()).decode()
    signing = SOURCES[0] | {"id": "signing", "keys": {"k": public}}
    write_organisation(tmp_path, sources=[*SOURCES, signing])
    async with build(settings).running() as intake:
        signed = cloud_event(TOPIC, "a", "submission", submission_body(external_id="signed"), "signing")
        signature = signature_headers(private.private_bytes_raw(), "k", signed)
        await submit(topic_client, signed.body, key="a", source="signing")
        await topic_client.publish(replace(signed, id=str(uuid4())), signature)
        await topic_client.publish(signed, signature)
        await wait_rows(intake, "SELECT 1 FROM complaint", 1)
        letters = await wait_rows(intake, "SELECT reason FROM dead_letter", 2)
        assert all("jiesu-signature are not those of the source" in letter["reason"] for letter in letters)


async def test_another_text_under_a_known_external_id_is_a_dead_letter(intake: Service, topic_client: TopicClient) -> None:
    await submit(topic_client, submission_body(external_id="HC-1"))
    await submit(topic_client, submission_body(external_id="HC-1", text="又停了"))
    await submit(topic_client, submission_body(external_id="HC-2"))
    [letter] = await wait_rows(intake, "SELECT reason FROM dead_letter", 1)
    assert letter["reason"].startswith("key_reused")
    await wait_rows(intake, "SELECT 1 FROM complaint", 2)
    assert await query_rows(intake, "SELECT 1 FROM parked") == []


async def test_source_that_refuses_resends_gets_a_dead_letter_for_another_text_under_a_known_external_id(
    settings: IntakeSettings, topic_client: TopicClient, tmp_path: Path
) -> None:
    await apply_topics(settings, [topics.CASE_ACTIONS])
    signing = settings.model_copy(update={"action_key": SecretStr(f"intake-1:{b64encode(bytes(range(32))).decode()}")})
    write_organisation(tmp_path, sources=[source | ({"resend": "refuse"} if source["id"] == "web" else {}) for source in SOURCES])
    async with build(signing).running() as intake:
        body = submission_body(external_id="R-1")
        for source in ("web", "hotline"):
            for text in ("停梯", "停梯", "又停了"):
                await submit(topic_client, body | {"text": text}, key=source, source=source)
            await submit(topic_client, submission_body(external_id="R-2"), key=source, source=source)
        # The record after the refused one is registered: neither source nor partition stops.
        await wait_rows(intake, "SELECT 1 FROM complaint", 4)
        [letter] = await wait_rows(intake, "SELECT reason, body FROM dead_letter", 1)
        assert letter["reason"].startswith("key_reused: another text under a known external_id")
        assert await query_rows(intake, "SELECT 1 FROM parked") == []


async def test_record_of_a_second_click_is_the_same_case(intake: Service, topic_client: TopicClient) -> None:
    body = submission_body()
    for _ in range(2):
        await submit(topic_client, body)
    await wait_rows(intake, "SELECT 1 FROM inbox", 2)
    assert len(await query_rows(intake, "SELECT 1 FROM complaint")) == 1
