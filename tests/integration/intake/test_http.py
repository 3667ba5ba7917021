"""Complaints by HTTP: durable before 202, once however often they are sent, and errors that name field, rule and remedy."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import orjson
import pytest

from shared.contracts import topics
from shared.runtime.service import Service
from tests.integration.intake.conftest import query_rows, source_client
from tests.support.services import TopicClient, submission_body
from tests.support.waiting import wait_for

YEAR = datetime.now(ZoneInfo("Asia/Shanghai")).year


async def test_a_complaint_is_durable_numbered_sealed_and_told(web: httpx.AsyncClient, intake: Service, wire: TopicClient) -> None:
    answer = await web.post("/v1/complaints", json=submission_body(external_id="A-1", facts={"persons": "3", "media": "maybe"}))
    assert answer.status_code == 202, answer.text
    told = answer.json()
    assert (told["status"], told["number"], told["missing"]) == ("registered", f"TS-{YEAR}-00001", ["facts.media"])
    assert len(await query_rows(intake, "SELECT 1 FROM complaint WHERE case_id = $1", told["case"])) == 1

    async def published() -> Any:
        return await wire.read_events(topics.COMPLAINT_EVENTS)

    [(kind, key, event)] = await wait_for(published)
    assert (kind, key) == ("registered", told["case"])
    assert event["forms"] == ["handling_sheet"]
    assert event["complaint"]["complainant"]["name"] == "王**"
    assert event["complaint"]["complainant"]["phone"] == "138****1234"
    assert event["complaint"]["facts"] == {"persons": 3}
    assert "13800001234" not in orjson.dumps(event).decode()
    opened = intake.key_ring.decrypt(event["complaint"]["contact"], told["case"])
    assert (opened["name"], opened["phone"]) == ("王先生", "+8613800001234")


async def test_a_resend_is_answered_with_the_same_case(web: httpx.AsyncClient, intake: Service) -> None:
    sent = submission_body(external_id="A-1")
    answers = [(await web.post("/v1/complaints", json=sent)).json() for _ in range(3)]
    assert [a["status"] for a in answers] == ["registered", "duplicate", "duplicate"]
    assert len({(a["case"], a["number"]) for a in answers}) == 1
    assert len(await query_rows(intake, "SELECT 1 FROM complaint")) == 1


async def test_concurrent_resends_are_one_case(web: httpx.AsyncClient, intake: Service) -> None:
    sent = submission_body(external_id="same")
    answers = await asyncio.gather(*(web.post("/v1/complaints", json=sent) for _ in range(20)))
    assert {a.status_code for a in answers} == {202}
    assert sorted(a.json()["status"] for a in answers) == ["duplicate"] * 19 + ["registered"]
    assert len(await query_rows(intake, "SELECT 1 FROM complaint")) == 1


async def test_an_idempotency_key_repeats_the_same_and_refuses_another(web: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "abc"}
    sent = submission_body()
    first, again = [(await web.post("/v1/complaints", json=sent, headers=key)).json() for _ in range(2)]
    other = await web.post("/v1/complaints", json=submission_body(text="something else"), headers=key)
    assert (first["case"], again["status"]) == (again["case"], "duplicate")
    assert other.status_code == 422
    assert other.json()["errors"][0]["field"] == "Idempotency-Key"


async def test_concurrent_requests_get_numbers_without_gaps(web: httpx.AsyncClient, intake: Service) -> None:
    answers = await asyncio.gather(*(web.post("/v1/complaints", json=submission_body()) for _ in range(60)))
    numbers = sorted(int(a.json()["number"].rpartition("-")[2]) for a in answers)
    assert numbers == list(range(1, 61))
    assert (await query_rows(intake, "SELECT last FROM book"))[0]["last"] == 60


async def test_a_batch_answers_item_by_item(web: httpx.AsyncClient, intake: Service) -> None:
    lacking = submission_body()
    del lacking["text"]
    items = [submission_body(external_id="1"), lacking, submission_body(external_id="1"), submission_body(external_id="2"), {"txt": 1}]
    answer = await web.post("/v1/complaints:batch", json={"complaints": items})
    assert answer.status_code == 207
    told = answer.json()
    assert (told["accepted"], told["refused"]) == (3, 2)
    assert [r["status"] for r in told["results"]] == ["registered", "refused", "duplicate", "registered", "refused"]
    assert told["results"][1]["problem"]["errors"] == [{"field": "text", "rule": "missing", "remedy": "send it"}]
    assert [r["reason"] for r in await query_rows(intake, "SELECT reason FROM refusal ORDER BY id")] == ["missing", "missing"]


async def test_a_whole_batch_of_a_thousand_is_one_answer(web: httpx.AsyncClient, intake: Service) -> None:
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
        (b'{"text": "x", "received_at": "2026-09-24T16:40:00+08:00", "channel": "telepathy"}', 422, "channel"),
        (b'{"text": "x", "received_at": "2026-09-24T16:40:00+08:00", "complainant": {"fone": "1"}}', 422, "complainant.fone"),
        (b'{"text": "x", "received_at": "2026-09-24T16:40:00+08:00", "facts": {"a": [1]}}', 422, "facts.a"),
        (b'{"text": "x", "received_at": "2026-09-24T16:40:00+08:00", "source": "hotline"}', 403, "source"),
    ],
)
async def test_errors_name_the_field(web: httpx.AsyncClient, body: bytes, status: int, field: str) -> None:
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
    got = (await web.get(f"/v1/complaints/{answer.json()['case']}")).json()
    assert got["complaint"]["text"] == "a\ufffdb\ufffdc 😀"
    assert len(await query_rows(intake, "SELECT 1 FROM complaint")) == 1


async def test_a_large_body_is_refused_unread(web: httpx.AsyncClient) -> None:
    answer = await web.post("/v1/complaints", content=b'{"text": "' + b"x" * 2_000_000 + b'"}')
    assert (answer.status_code, answer.json()["errors"][0]["rule"]) == (413, "too_large")


async def test_keys_are_known_scoped_to_channels_and_to_their_own_complaints(web: httpx.AsyncClient, intake: Service) -> None:
    mine = (await web.post("/v1/complaints", json=submission_body())).json()["case"]
    got = await web.get(f"/v1/complaints/{mine}")
    assert got.json()["complaint"]["text"] == "3号楼电梯停运"
    assert "contact" not in got.json()["complaint"]
    async with source_client(intake, "hotline") as other:
        assert (await other.get(f"/v1/complaints/{mine}")).status_code == 404
        assert (await other.post("/v1/complaints", json=submission_body(channel="web"))).status_code == 403
        assert (await other.post("/v1/complaints", json=submission_body())).status_code == 202
    for header in ({"Authorization": "Bearer nobody"}, {"Authorization": ""}, {"Authorization": "Basic d2ViOmtleQ=="}):
        answer = await web.post("/v1/complaints", json=submission_body(), headers=header)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


async def test_a_source_that_is_too_fast_is_told_to_wait(intake: Service) -> None:
    async with source_client(intake, "slow") as slow:
        answers = [await slow.post("/v1/complaints", json=submission_body()) for _ in range(3)]
    assert [a.status_code for a in answers] == [202, 429, 429]
    assert int(answers[1].headers["retry-after"]) > 50


async def test_the_anonymous_owe_no_contact_and_stay_unnamed(web: httpx.AsyncClient) -> None:
    named = (await web.post("/v1/complaints", json=submission_body(complainant={"name": "王先生"}))).json()
    assert named["missing"] == ["complainant.phone"]
    hidden = (await web.post("/v1/complaints", json=submission_body(complainant={"anonymous": True, "phone": "13800001234"}))).json()
    assert hidden["missing"] == []
    shown = (await web.get(f"/v1/complaints/{hidden['case']}")).json()["complaint"]["complainant"]
    assert "phone" not in shown
    assert shown["has"] == ["phone"]


async def test_the_received_instant_may_lie_back_and_registration_is_now(web: httpx.AsyncClient) -> None:
    earlier = datetime.now(UTC) - timedelta(days=40)
    case = (await web.post("/v1/complaints", json=submission_body(received_at=earlier.isoformat()))).json()["case"]
    got = (await web.get(f"/v1/complaints/{case}")).json()
    assert datetime.fromisoformat(got["complaint"]["received_at"]) == earlier
    assert datetime.fromisoformat(got["registered_at"]) - earlier > timedelta(days=39)


async def test_health_and_metrics_are_served(web: httpx.AsyncClient) -> None:
    await web.post("/v1/complaints", json=submission_body())
    text = (await web.get("/metrics")).text
    assert 'jiesu_intake_registered_total{channel="hotline",procedure="shop"}' in text
    assert (await web.get("/live")).status_code == 200
