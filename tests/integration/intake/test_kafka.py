"""Complaints by Kafka: registered once, refused visibly, kept as dead letters where nobody can be told."""

from base64 import b64encode
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import orjson
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.intake.bootstrap import build
from services.intake.config import IntakeSettings
from shared.contracts import topics
from shared.runtime.kafka.signing import sign
from shared.runtime.service import Service
from tests.integration.intake.conftest import query_rows
from tests.support.services import SOURCES, TopicClient, cloud_event_headers, submission_body, write_organisation
from tests.support.waiting import wait_for

TOPIC = topics.COMPLAINT_SUBMISSIONS


async def submit(wire: TopicClient, value: Any, key: str = "ref-1", source: str = "web", event: str | None = None) -> None:
    await wire.send(TOPIC, key, value, cloud_event_headers("submission", source, event))


async def wait_rows(service: Service, query: str, count: int) -> list[Any]:
    async def enough() -> list[Any] | None:
        found = await query_rows(service, query)
        return found if len(found) >= count else None

    found = await wait_for(enough, what=query)
    assert found is not None
    assert len(found) == count
    return list(found)


async def test_a_record_becomes_a_case_and_a_resend_by_any_way_is_the_same(
    intake: Service, wire: TopicClient, web: httpx.AsyncClient
) -> None:
    sent = submission_body(external_id="HC-1")
    for event in (str(uuid4()), str(uuid4())):
        await submit(wire, sent, event=event)
        await submit(wire, sent, event=event)
    [row] = await wait_rows(intake, "SELECT case_id, number FROM complaint", 1)
    answer = (await web.post("/v1/complaints", json=sent)).json()
    assert (answer["status"], answer["case"], answer["number"]) == ("duplicate", row["case_id"], row["number"])
    await submit(wire, submission_body(external_id="HC-2"), key="ref-2")
    await wait_rows(intake, "SELECT 1 FROM complaint", 2)

    async def published() -> bool:
        return len(await wire.read_records(topics.COMPLAINT_EVENTS)) >= 2

    await wait_for(published)
    assert len(await wire.read_records(topics.COMPLAINT_EVENTS)) == 2


async def test_a_record_without_reference_is_one_case_however_often_it_is_read(intake: Service, wire: TopicClient) -> None:
    event = str(uuid4())
    await submit(wire, submission_body(), event=event)
    await submit(wire, submission_body(), event=event)
    await submit(wire, submission_body())
    # Two ids are claimed only once all three records have been read: then nothing can come any more.
    await wait_rows(intake, "SELECT 1 FROM inbox", 2)
    assert len(await query_rows(intake, "SELECT 1 FROM complaint")) == 2


async def test_who_names_no_source_or_writes_no_json_is_a_dead_letter(intake: Service, wire: TopicClient) -> None:
    await submit(wire, submission_body(), key="unknown", source="nobody")
    await submit(wire, b"{", key="broken")
    await submit(wire, b"\xff", key="bytes")
    await wire.send(TOPIC, "type", submission_body(), cloud_event_headers("complaint"))
    await wire.send(TOPIC, "null", submission_body(), [*cloud_event_headers("submission"), ("other", None)])
    await submit(wire, submission_body(external_id="after"), key="broken")
    letters = await wait_rows(intake, "SELECT key, reason FROM dead_letter ORDER BY key", 4)
    assert [row["key"] for row in letters] == ["broken", "bytes", "type", "unknown"]
    assert "ce_source" in letters[3]["reason"]
    await wait_rows(intake, "SELECT 1 FROM complaint", 2)
    assert await query_rows(intake, "SELECT 1 FROM parked") == []


async def test_the_body_may_name_the_source(intake: Service, wire: TopicClient) -> None:
    bare = [(name, value) for name, value in cloud_event_headers("submission") if name != "ce_source"]
    await wire.send(TOPIC, "a", submission_body(source="web"), bare)
    [row] = await wait_rows(intake, "SELECT source FROM complaint", 1)
    assert row["source"] == "web"


async def test_what_lacks_text_or_time_or_its_channel_is_refused_and_kept_visible(intake: Service, wire: TopicClient) -> None:
    lacking = submission_body()
    del lacking["received_at"]
    await submit(wire, lacking, key="a")
    await submit(wire, submission_body(text="  "), key="b")
    await submit(wire, submission_body(channel="web"), key="c", source="hotline")
    await submit(wire, submission_body(received_at="2999-01-01T00:00:00Z"), key="d")
    await submit(wire, b'"text"', key="e")
    await submit(wire, submission_body(text="x", title="y" * 300_000), key="f")
    await submit(wire, submission_body(), key="good")
    found = await wait_rows(intake, "SELECT reference, reason, faults, source, via FROM refusal ORDER BY reference", 6)
    assert [row["reason"] for row in found] == ["missing", "invalid", "channel", "implausible", "invalid", "too_large"]
    assert orjson.loads(found[0]["faults"]) == [{"field": "received_at", "rule": "missing"}]
    await wait_rows(intake, "SELECT 1 FROM complaint", 1)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{intake.http_port}") as client:
        text = (await client.get("/metrics")).text
    assert 'jiesu_intake_refused_total{reason="implausible",via="kafka"}' in text


async def test_hostile_text_does_not_take_good_neighbours_along(intake: Service, wire: TopicClient) -> None:
    for place in range(20):
        await submit(wire, submission_body(external_id=f"good-{place}"), key=f"k{place}")
    await submit(wire, b'{"text": "\\u0000\\udfff", "received_at": "2026-09-24T16:40:00+08:00"}', key="k1")
    await submit(wire, submission_body(external_id="last"), key="k2")
    found = await wait_rows(intake, "SELECT body FROM complaint", 22)
    assert not any("\\u0000" in row["body"] or "\\ud" in row["body"] for row in found)
    assert await query_rows(intake, "SELECT 1 FROM dead_letter") == []


async def test_a_source_with_public_keys_has_to_sign(settings: IntakeSettings, wire: TopicClient, tmp_path: Path) -> None:
    private = Ed25519PrivateKey.generate()
    raw = private.private_bytes(serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption())
    public = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    signing = SOURCES[0] | {"id": "signing", "keys": {"k": b64encode(public).decode()}}
    write_organisation(tmp_path, sources=[*SOURCES, signing])
    async with build(settings).running() as intake:
        body = orjson.dumps(submission_body(external_id="signed"))
        good, forged = str(uuid4()), str(uuid4())
        signature = ("jiesu-signature", sign(raw, TOPIC.name, "a", good, body).encode())
        await submit(wire, body, key="a", source="signing")
        await wire.send(TOPIC, "a", body, [*cloud_event_headers("submission", "signing", forged), ("jiesu-key", b"k"), signature])
        await wire.send(TOPIC, "a", body, [*cloud_event_headers("submission", "signing", good), ("jiesu-key", b"k"), signature])
        await wait_rows(intake, "SELECT 1 FROM complaint", 1)
        await wait_rows(intake, "SELECT 1 FROM dead_letter", 2)
