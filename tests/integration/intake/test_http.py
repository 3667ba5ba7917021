"""Complaints by HTTP: committed before 202, registered once, errors with field, rule and remedy."""

import asyncio
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import orjson
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr

from services.intake.bootstrap import build
from services.intake.config import IntakeSettings
from shared.contracts import topics
from shared.contracts.envelope import signing_input
from shared.runtime.kafka.signing import is_signature_valid
from shared.runtime.kafka.topic_admin import apply_topics
from shared.runtime.service import Service
from tests.integration.intake.conftest import query_rows, source_client
from tests.support.messaging.sample_organisation import SOURCES, submission_body, write_organisation
from tests.support.messaging.topic_client import TopicClient
from tests.support.waiting import wait_for

YEAR = datetime.now(ZoneInfo("Asia/Shanghai")).year


async def test_complaint_is_stored_numbered_encrypted_and_published(
    web: httpx.AsyncClient, intake: Service, topic_client: TopicClient
) -> None:
    answer = await web.post("/v1/complaints", json=submission_body(external_id="A-1", facts={"persons": "3", "media": "maybe"}))
    assert answer.status_code == 202, answer.text
    result = answer.json()
    assert (result["status"], result["number"], result["missing"]) == ("registered", f"TS-{YEAR}-00001", [])
    assert result["unreadable"] == ["facts.media"]
    assert len(await query_rows(intake, "SELECT 1 FROM complaint WHERE case_id = $1", result["case"])) == 1

    async def published_events() -> Any:
        return await topic_client.read_events(topics.COMPLAINT_EVENTS)

    [(event_type, key, event)] = await wait_for(published_events)
    assert (event_type, key) == ("registered", result["case"])
    assert event["forms"] == ["handling_sheet"]
    assert event["complaint"]["complainant"]["name"] == "王**"
    assert event["complaint"]["complainant"]["phone"] == "138****1234"
    assert event["complaint"]["facts"] == {"persons": 3}
    assert "13800001234" not in orjson.dumps(event).decode()
    contact = intake.key_ring.decrypt(event["complaint"]["contact"], result["case"])
    assert (contact["name"], contact["phone"]) == ("王先生", "+8613800001234")


async def test_submission_sent_again_is_the_same_case(web: httpx.AsyncClient, intake: Service) -> None:
    body = submission_body(external_id="A-1")
    answers = [(await web.post("/v1/complaints", json=body)).json() for _ in range(3)]
    assert [a["status"] for a in answers] == ["registered", "duplicate", "duplicate"]
    assert len({(a["case"], a["number"]) for a in answers}) == 1
    assert len(await query_rows(intake, "SELECT 1 FROM complaint")) == 1


async def test_submission_sent_concurrently_is_one_case(web: httpx.AsyncClient, intake: Service) -> None:
    body = submission_body(external_id="same")
    answers = await asyncio.gather(*(web.post("/v1/complaints", json=body) for _ in range(20)))
    assert {a.status_code for a in answers} == {202}
    assert sorted(a.json()["status"] for a in answers) == ["duplicate"] * 19 + ["registered"]
    assert len(await query_rows(intake, "SELECT 1 FROM complaint")) == 1


async def test_idempotency_key_accepts_only_the_same_submission_again(web: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "abc"}
    body = submission_body()
    first, again = [(await web.post("/v1/complaints", json=body, headers=key)).json() for _ in range(2)]
    other = await web.post("/v1/complaints", json=submission_body(text="something else"), headers=key)
    assert (first["case"], again["status"]) == (again["case"], "duplicate")
    assert other.status_code == 422
    assert other.json()["errors"][0]["field"] == "Idempotency-Key"


async def test_concurrent_requests_get_numbers_without_gaps(web: httpx.AsyncClient, intake: Service) -> None:
    answers = await asyncio.gather(*(web.post("/v1/complaints", json=submission_body()) for _ in range(60)))
    numbers = sorted(int(a.json()["number"].rpartition("-")[2]) for a in answers)
    assert numbers == list(range(1, 61))
    assert (await query_rows(intake, "SELECT last FROM book"))[0]["last"] == 60


async def test_batch_has_one_result_for_each_item(web: httpx.AsyncClient, intake: Service) -> None:
    without_text = submission_body()
    del without_text["text"]
    first, second = submission_body(external_id="1"), submission_body(external_id="2")
    items = [first, without_text, first, second, {"txt": 1}]
    answer = await web.post("/v1/complaints:batch", json={"complaints": items})
    assert answer.status_code == 207
    document = answer.json()
    assert (document["accepted"], document["refused"]) == (3, 2)
    assert [r["status"] for r in document["results"]] == ["registered", "refused", "duplicate", "registered", "refused"]
    assert document["results"][1]["problem"]["errors"] == [{"field": "text", "rule": "missing", "remedy": "send it"}]
    assert [r["reason"] for r in await query_rows(intake, "SELECT reason FROM refusal ORDER BY id")] == ["missing", "missing"]


async def test_item_of_a_batch_has_the_size_limit_of_a_complaint(web: httpx.AsyncClient) -> None:
    large = submission_body(facts={f"fact_{number}": "x" * 20_000 for number in range(15)})
    answer = await web.post("/v1/complaints:batch", json=[large, submission_body()])
    assert answer.status_code == 207
    results = answer.json()["results"]
    assert (results[0]["problem"]["status"], results[0]["problem"]["errors"][0]["rule"]) == (413, "too_large")
    assert results[1]["status"] == "registered"
    assert (await web.post("/v1/complaints", json=large)).status_code == 413


async def test_batch_of_a_thousand_has_one_answer(web: httpx.AsyncClient, intake: Service) -> None:
    answer = await web.post("/v1/complaints:batch", json={"complaints": [submission_body() for _ in range(1000)]})
    assert (answer.status_code, answer.json()["accepted"]) == (202, 1000)
    [row] = await query_rows(intake, "SELECT count(DISTINCT number) AS n, max(number) AS most FROM complaint")
    assert (row["n"], row["most"]) == (1000, f"TS-{YEAR}-01000")
    too_many = await web.post("/v1/complaints:batch", json=[submission_body()] * 1001)
    assert (too_many.status_code, too_many.json()["errors"][0]["rule"]) == (413, "too_many")


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"{", 400, "body"),
        (b"\xff\xfe", 400, "body"),
        (b"[" * 5000, 400, "body"),
        (b'{"text": "x", "received_at": NaN}', 400, "body"),
        (b"[]", 422, "body"),
        (b'{"received_at": "2026-09-24T16:40:00+08:00"}', 422, "text"),
        (b'{"text": " \\t", "received_at": "2026-09-24T16:40:00+08:00"}', 422, "text"),
        (b'{"text": "x"}', 422, "received_at"),
        (b'{"text": "x", "received_at": "2026-09-24T16:40:00"}', 422, "received_at"),
        (b'{"text": "x", "received_at": "2999-09-24T16:40:00Z"}', 422, "received_at"),
        (b'{"text": "x", "received_at": "0001-01-01T00:00:00+08:00"}', 422, "received_at"),
        (b'{"text": "x", "received_at": 20261109}', 422, "received_at"),
        (b'{"text": "x", "text": "y", "received_at": "2026-09-24T16:40:00+08:00"}', 400, "body"),
        (b'{"text": "x", "received_at": "2026-09-24T16:40:00+08:00", "facts": {"a": 18446744073709551616}}', 400, "body"),
        (b'{"text": "x", "received_at": "2026-09-24T16:40:00+08:00", "facts": {"a": 1e999}}', 400, "body"),
        (b'{"text": "x", "received_at": "2026-09-24T16:40:00+08:00", "facts": ' + b'{"a":' * 33 + b"1" + b"}" * 33 + b"}", 400, "body"),
        (b'{"text": "x", "received_at": "2026-09-24T16:40:00+08:00", "source": "hotline"}', 403, "source"),
    ],
)
async def test_error_names_the_field(web: httpx.AsyncClient, body: bytes, status: int, field: str) -> None:
    answer = await web.post("/v1/complaints", content=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    problem = answer.json()
    assert problem["errors"][0]["field"] == field
    assert problem["errors"][0]["remedy"]
    assert problem["status"] == status


async def test_nul_and_lone_surrogates_are_replaced(web: httpx.AsyncClient, intake: Service) -> None:
    body = b'{"text": "a\\u0000b\\ud800c \\ud83d\\ude00", "received_at": "2026-09-24T16:40:00+08:00", "external_id": "x\\u0000"}'
    answer = await web.post("/v1/complaints", content=body)
    assert answer.status_code == 202, answer.text
    stored = (await web.get(f"/v1/complaints/{answer.json()['case']}")).json()
    assert stored["complaint"]["text"] == "a\ufffdb\ufffdc 😀"
    assert len(await query_rows(intake, "SELECT 1 FROM complaint")) == 1


async def test_large_body_is_refused(web: httpx.AsyncClient) -> None:
    answer = await web.post("/v1/complaints", content=b'{"text": "' + b"x" * 2_000_000 + b'"}')
    assert (answer.status_code, answer.json()["errors"][0]["rule"]) == (413, "too_large")


async def test_api_key_is_limited_to_its_channels_and_complaints(web: httpx.AsyncClient, intake: Service) -> None:
    case = (await web.post("/v1/complaints", json=submission_body())).json()["case"]
    complaint = (await web.get(f"/v1/complaints/{case}")).json()["complaint"]
    assert complaint["text"] == "3号楼电梯停运"
    assert "contact" not in complaint
    async with source_client(intake, "hotline") as other:
        assert (await other.get(f"/v1/complaints/{case}")).status_code == 404
        assert (await other.post("/v1/complaints", json=submission_body(channel="web"))).status_code == 403
        assert (await other.post("/v1/complaints", json=submission_body())).status_code == 202
    for header in ({"Authorization": "Bearer unknown"}, {"Authorization": ""}, {"Authorization": "Basic d2ViOmtleQ=="}):
        answer = await web.post("/v1/complaints", json=submission_body(), headers=header)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


async def test_source_above_its_rate_has_to_wait(intake: Service) -> None:
    async with source_client(intake, "slow") as slow:
        answers = [await slow.post("/v1/complaints", json=submission_body()) for _ in range(3)]
    assert [a.status_code for a in answers] == [202, 429, 429]
    assert int(answers[1].headers["retry-after"]) > 50


async def test_anonymous_complainant_needs_no_contact_data(web: httpx.AsyncClient) -> None:
    named = (await web.post("/v1/complaints", json=submission_body(complainant={"name": "王先生"}))).json()
    assert named["missing"] == ["complainant.phone"]
    anonymous = (await web.post("/v1/complaints", json=submission_body(complainant={"anonymous": True, "phone": "13800001234"}))).json()
    assert anonymous["missing"] == []
    complainant = (await web.get(f"/v1/complaints/{anonymous['case']}")).json()["complaint"]["complainant"]
    assert "phone" not in complainant
    assert complainant["has"] == ["phone"]


async def test_receipt_may_lie_in_the_past_and_registration_is_now(web: httpx.AsyncClient) -> None:
    earlier = datetime.now(UTC) - timedelta(days=40)
    case = (await web.post("/v1/complaints", json=submission_body(received_at=earlier.isoformat()))).json()["case"]
    stored = (await web.get(f"/v1/complaints/{case}")).json()
    assert datetime.fromisoformat(stored["complaint"]["received_at"]) == earlier
    assert datetime.fromisoformat(stored["registered_at"]) - earlier > timedelta(days=39)


async def test_health_and_metrics_are_served(web: httpx.AsyncClient) -> None:
    await web.post("/v1/complaints", json=submission_body())
    text = (await web.get("/metrics")).text
    assert 'jiesu_intake_registered_total{channel="hotline",procedure="shop"}' in text
    assert (await web.get("/live")).status_code == 200


async def test_second_click_within_ten_minutes_is_a_resend(web: httpx.AsyncClient, intake: Service) -> None:
    body = submission_body()
    first, second = [(await web.post("/v1/complaints", json=body)).json() for _ in range(2)]
    batch = (await web.post("/v1/complaints:batch", json=[body, submission_body(), body])).json()["results"]
    assert (first["status"], second["status"]) == ("registered", "duplicate")
    assert (first["case"], first["number"]) == (second["case"], second["number"])
    assert [(result["status"], result["case"] == first["case"]) for result in batch] == [
        ("duplicate", True),
        ("registered", False),
        ("duplicate", True),
    ]
    await query_rows(intake, "UPDATE complaint SET registered_at = registered_at - interval '11 minutes'")
    assert (await web.post("/v1/complaints", json=body)).json()["status"] == "registered"


async def test_same_body_of_another_source_or_under_another_key_is_no_second_click(web: httpx.AsyncClient, intake: Service) -> None:
    body = submission_body()
    async with source_client(intake, "hotline") as other:
        answers = [await web.post("/v1/complaints", json=body), await other.post("/v1/complaints", json=body)]
    answers += [await web.post("/v1/complaints", json=body, headers={"Idempotency-Key": key}) for key in ("1", "2")]
    assert [answer.json()["status"] for answer in answers] == ["registered"] * 4


async def test_another_text_under_a_known_external_id_becomes_a_signed_supplement(
    settings: IntakeSettings, topic_client: TopicClient
) -> None:
    private = Ed25519PrivateKey.generate()
    raw = private.private_bytes(serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption())
    public = b64encode(private.public_key().public_bytes_raw()).decode()
    await apply_topics(settings, [topics.CASE_ACTIONS])
    signing = settings.model_copy(update={"action_key": SecretStr(f"intake-1:{b64encode(raw).decode()}")})
    async with build(signing).running() as intake, source_client(intake) as web:
        first = (await web.post("/v1/complaints", json=submission_body(external_id="A-1"))).json()
        changed = submission_body(external_id="A-1", text="又停了", attachments=["https://x.cn/1"])
        answers = [await web.post("/v1/complaints", json=changed) for _ in range(2)]
        assert [(a.status_code, a.json()["status"], a.json()["case"]) for a in answers] == [(202, "supplement", first["case"])] * 2

        async def both_sent() -> Any:
            records = await topic_client.read_records(topics.CASE_ACTIONS)
            return records if len(records) == 2 else None

        records = await wait_for(both_sent)
    headers = [dict(record.headers) for record in records]
    assert headers[0]["ce_id"] == headers[1]["ce_id"]
    assert headers[0]["jiesu-key"] == b"intake-1"
    content = signing_input("case-actions", first["case"], headers[0]["ce_id"].decode(), records[0].value)
    assert is_signature_valid(public, headers[0]["jiesu-signature"].decode(), content)
    assert orjson.loads(records[0].value) == {
        "case": first["case"],
        "action": "supplement",
        "data": {"text": "又停了", "attachments": ["https://x.cn/1"]},
    }


async def test_source_that_refuses_resends_gets_409_for_another_text_under_a_known_external_id(
    settings: IntakeSettings, tmp_path: Path
) -> None:
    # The service can sign supplements, so that only the policy of the source refuses.
    signing = settings.model_copy(update={"action_key": SecretStr(f"intake-1:{b64encode(bytes(range(32))).decode()}")})
    write_organisation(tmp_path, sources=[source | ({"resend": "refuse"} if source["id"] == "web" else {}) for source in SOURCES])
    await apply_topics(settings, [topics.CASE_ACTIONS])
    body = submission_body(external_id="A-1")
    async with build(signing).running() as intake, source_client(intake) as web, source_client(intake, "hotline") as other:
        first, same, changed = [await web.post("/v1/complaints", json=body | {"text": text}) for text in ("停梯", "停梯", "又停了")]
        assert (first.json()["status"], same.json()["status"]) == ("registered", "duplicate")
        assert (changed.status_code, changed.json()["type"]) == (409, "urn:jiesu:problem:reference_reused")
        assert [(error["field"], "又停了" in changed.text) for error in changed.json()["errors"]] == [("external_id", False)]
        batch = [submission_body(external_id="A-1", text="又停了"), submission_body(external_id="A-2")]
        results = (await web.post("/v1/complaints:batch", json=batch)).json()["results"]
        assert [result["status"] for result in results] == ["refused", "registered"]
        assert [row["body"].count("又停了") for row in await query_rows(intake, "SELECT body FROM complaint")] == [0, 0]
        answers = [(await other.post("/v1/complaints", json=submission_body(external_id="B-1", text=text))).json() for text in ("a", "b")]
        assert [answer["status"] for answer in answers] == ["registered", "supplement"]


async def test_another_text_under_a_known_external_id_is_refused_without_a_signing_key(web: httpx.AsyncClient, intake: Service) -> None:
    await web.post("/v1/complaints", json=submission_body(external_id="A-1"))
    answer = await web.post("/v1/complaints", json=submission_body(external_id="A-1", text="又停了"))
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:jiesu:problem:reference_reused")
    assert answer.json()["errors"][0]["field"] == "external_id"
    assert len(await query_rows(intake, "SELECT 1 FROM complaint")) == 1


async def test_unknown_and_misspelt_fields_and_facts_are_named_in_the_answer(web: httpx.AsyncClient) -> None:
    body = submission_body(facts={"wrad": "A", "persons": "many"}, txet="x", channel="telepathy")
    answer = await web.post("/v1/complaints", json=body)
    assert (answer.status_code, answer.json()["unreadable"]) == (202, ["channel", "txet", "facts.persons", "facts.wrad"])
    stored = (await web.get(f"/v1/complaints/{answer.json()['case']}")).json()
    assert stored["unreadable"] == answer.json()["unreadable"]


async def test_body_with_a_byte_order_mark_is_accepted(web: httpx.AsyncClient) -> None:
    answer = await web.post("/v1/complaints", content=b"\xef\xbb\xbf" + orjson.dumps(submission_body()))
    assert answer.json()["status"] == "registered"
