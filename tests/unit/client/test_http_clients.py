"""What the client sends, and what it makes of each answer: httpx' own transport stands for the network."""

import json
from collections.abc import Callable

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jiesu_client import (
    BatchFailedError,
    CasesClient,
    IntakeClient,
    Registration,
    RequestRefusedError,
    Retries,
    Submission,
    UnavailableError,
)
from jiesu_client.intake import MAX_ITEMS

FAST = Retries(attempts=4, first=0.001, longest=0.01)
COMPLAINT = Submission.model_validate({"external_id": "A-1", "received_at": "2026-11-23T05:30:00+08:00", "text": "电梯停运"})
REGISTERED = {"status": "registered", "case": "c-1", "number": "TS-1", "missing": [], "unreadable": [], "added_later": 1}
MISSING = {
    "type": "urn:jiesu:problem:missing",
    "title": "something that every complaint needs is missing",
    "status": 422,
    "errors": [{"field": "text", "rule": "missing", "remedy": "send it"}],
}
Answer = Callable[[httpx.Request], httpx.Response]


def intake(answer: Answer) -> IntakeClient:
    return IntakeClient("http://intake", "key", FAST, transport=httpx.MockTransport(answer))


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
async def test_a_request_is_made_again_under_the_same_key_until_it_is_answered(status: int) -> None:
    keys = []

    def answer(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["Idempotency-Key"])
        return httpx.Response(202, json=REGISTERED) if len(keys) == 3 else httpx.Response(status, headers={"Retry-After": "0"})

    async with intake(answer) as client:
        registered = await client.submit(COMPLAINT)
    assert (registered.case, registered.number) == ("c-1", "TS-1")
    assert len(keys) == 3
    assert len(set(keys)) == 1


async def test_broken_connections_end_in_an_error_that_says_what_was_tried() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    async with intake(answer) as client:
        with pytest.raises(UnavailableError, match="POST /v1/complaints: no answer after 4 attempts, the last one: ConnectError"):
            await client.submit(COMPLAINT)


async def test_a_refusal_is_an_error_with_fields_and_is_not_sent_again() -> None:
    requests = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(422, json=MISSING)

    async with intake(answer) as client:
        with pytest.raises(RequestRefusedError, match="text: send it") as caught:
            await client.submit({"received_at": "2026-11-23T05:30:00+08:00"})
    assert (caught.value.status, caught.value.code) == (422, "missing")
    assert [(fault.field, fault.rule) for fault in caught.value.faults] == [("text", "missing")]
    assert len(requests) == 1


async def test_a_page_of_a_proxy_is_an_error_with_its_status() -> None:
    async with intake(lambda _: httpx.Response(404, text="<html>")) as client:
        with pytest.raises(RequestRefusedError) as caught:
            await client.submit(COMPLAINT)
    assert caught.value.status == 404


async def test_submit_many_continues_behind_the_batches_that_are_registered() -> None:
    complaints = [{"received_at": "2026-11-23T05:30:00+08:00", "text": str(number)} for number in range(2 * MAX_ITEMS + 3)]
    registered: dict[str, list[str]] = {}
    requests, answer_of_second = [], httpx.Response(503)

    def answer(request: httpx.Request) -> httpx.Response:
        key, texts = request.headers["Idempotency-Key"], [item["text"] for item in json.loads(request.content)["complaints"]]
        requests.append(key)
        # As intake does it: a key with another body is refused, the same body is registered once. The second answer gets lost.
        assert registered.setdefault(key, texts) == texts
        if len(registered) == 2 and answer_of_second.status_code != 200:
            return answer_of_second
        return httpx.Response(202, json={"results": [{**REGISTERED, "number": text} for text in texts]})

    async with intake(answer) as client:
        with pytest.raises(BatchFailedError, match=r"1000 results, then a batch failed: .* 503") as failed:
            await client.submit_many(iter(complaints))
        assert isinstance(failed.value.__cause__, UnavailableError)
        assert [result.number for result in failed.value.results if isinstance(result, Registration)] == [str(n) for n in range(MAX_ITEMS)]
        answer_of_second = httpx.Response(200)
        requests.clear()
        results = await client.submit_many(iter(complaints), failed.value.idempotency_key, failed.value.results)
    assert [result.number for result in results if isinstance(result, Registration)] == [item["text"] for item in complaints]
    assert sorted(text for texts in registered.values() for text in texts) == sorted(item["text"] for item in complaints)
    assert len(requests) == 2, "the first batch is not sent again"


@pytest.mark.parametrize(
    "wrong",
    [
        httpx.Response(404, text="<html>"),
        httpx.Response(202, json=[]),
        httpx.Response(202, text="{", headers={"Content-Type": "application/json"}),
    ],
)
async def test_a_batch_that_is_answered_wrongly_is_a_refusal_with_the_status(wrong: httpx.Response) -> None:
    async with intake(lambda _: wrong) as client:
        with pytest.raises(BatchFailedError) as failed:
            await client.submit_many([COMPLAINT])
    assert isinstance(failed.value.__cause__, RequestRefusedError)
    assert failed.value.__cause__.status == wrong.status_code
    assert failed.value.results == ()


async def test_an_answer_that_is_compressed_wrongly_is_tried_again() -> None:
    answers = [
        httpx.Response(202, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"no gzip")),
        httpx.Response(202, json=REGISTERED),
    ]
    async with intake(lambda _: answers.pop(0)) as client:
        assert (await client.submit(COMPLAINT)).case == "c-1"


@given(st.lists(st.sampled_from(["good", "bad", "x" * 15_000]), max_size=2 * MAX_ITEMS + 5))
async def test_many_are_sent_in_batches_with_one_result_each_in_order(texts: list[str]) -> None:
    sizes, keys = [], set()

    def answer(request: httpx.Request) -> httpx.Response:
        items = json.loads(request.content)["complaints"]
        sizes.append((len(items), len(request.content)))
        keys.add(request.headers["Idempotency-Key"])
        results = [
            {"index": index, "status": "refused", "problem": MISSING}
            if item["text"] == "bad"
            else {"index": index, **REGISTERED, "number": item["text"][:9]}
            for index, item in enumerate(items)
        ]
        return httpx.Response(207, json={"results": results})

    async with intake(answer) as client:
        results = await client.submit_many({"received_at": "2026-11-23T05:30:00+08:00", "text": text} for text in texts)
    assert [result.number if isinstance(result, Registration) else "bad" for result in results] == [text[:9] for text in texts]
    assert all(number <= MAX_ITEMS and size < 4_100_000 for number, size in sizes)
    assert len(keys) == len(sizes), "a batch that is sent again has its own key"


async def test_an_action_in_progress_is_asked_for_again_and_a_deferred_one_says_so() -> None:
    answers = [
        httpx.Response(409, json={"type": "urn:jiesu:problem:in_progress"}, headers={"Retry-After": "0"}),
        httpx.Response(202, json={"case": "c/1", "accepted": True, "repeated": False, "events": []}),
    ]
    paths = []

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.raw_path)
        return answers.pop(0)

    async with CasesClient("http://sla/", "token", FAST, transport=httpx.MockTransport(answer)) as cases:
        result = await cases.act("c/1", "start_work", {"text": "已派员"}, role="handler")
    assert result.deferred
    assert paths == [b"/v1/cases/c%2F1/actions"] * 2


async def test_a_refused_action_names_reason_and_clause() -> None:
    document = {"type": "urn:jiesu:problem:action_refused", "title": "refused", "detail": "nobody has answered", "clause": "3.8"}
    async with CasesClient("http://sla", "t", FAST, transport=httpx.MockTransport(lambda _: httpx.Response(409, json=document))) as cases:
        with pytest.raises(RequestRefusedError) as caught:
            await cases.act("c-1", "close")
    assert (caught.value.code, caught.value.detail, caught.value.clause) == ("action_refused", "nobody has answered", "3.8")


async def test_all_pages_of_a_list_are_read() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        cursor = int(request.url.params.get("cursor", "0"))
        assert request.url.params["status"] == "open"
        return httpx.Response(200, json={"cases": [{"case": str(cursor)}], "next_cursor": str(cursor + 1) if cursor < 3 else None})

    async with CasesClient("http://sla", "t", FAST, transport=httpx.MockTransport(answer)) as cases:
        assert [case["case"] async for case in cases.cases(status="open")] == ["0", "1", "2", "3"]


def test_pauses_double_up_to_the_longest_and_follow_the_service() -> None:
    retries = Retries(attempts=9, first=1.0, longest=8.0)
    assert all(2 ** (n - 1) / 2 <= retries.pause(n, None) <= 2 ** (n - 1) for n in range(1, 4))
    assert retries.pause(20, None) <= 8.0
    assert 5.0 <= retries.pause(1, 5.0) <= 6.0
