"""The complainant's page and its JSON on real servers: what a code opens, what it lets do, and what nobody learns from it."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from pydantic import SecretStr

from services.sla.bootstrap import build
from shared.contracts.follow_codes import follow_code, follow_key
from shared.runtime.service import Service
from tests.integration.sla.recorded_cases import wait_for_events
from tests.integration.sla.sla_harness import SlaHarness, person_client

SECRET = "a secret of the tests"
REMARK = "内部意见：投诉人难缠，赵某负责"


def code_of(case: str) -> str:
    return follow_code(follow_key(SECRET), case)


@asynccontextmanager
async def complainant(harness: SlaHarness, per_second: float = 1000.0) -> AsyncIterator[tuple[Service, httpx.AsyncClient]]:
    """sla with codes, and a client without any token."""
    settings = harness.settings.model_copy(update={"follow_key": SecretStr(SECRET), "follow_requests_per_second": per_second})
    async with build(settings).running() as service, httpx.AsyncClient(base_url=f"http://127.0.0.1:{service.http_port}") as anybody:
        yield service, anybody


async def act(service: Service, case: str, action: str, /, **data: str) -> None:
    async with person_client(service) as staff:
        answer = await staff.post(f"/v1/cases/{case}/actions", json={"action": action, "role": "assistant", "data": data})
    assert answer.status_code == 200, answer.text


async def test_a_code_shows_what_the_complainant_was_told_and_nothing_else(harness: SlaHarness) -> None:
    async with complainant(harness) as (service, anybody):
        await harness.send_first_decision("case-1", facility_failure=True)
        await wait_for_events(service, "case-1", "registered")
        await act(service, "case-1", "report", text=REMARK)
        await act(service, "case-1", "instruct", text=REMARK)
        await act(service, "case-1", "answer", text="电梯已派人维修", reason=REMARK)
        answer = await anybody.get(f"/v1/follow/{code_of('case-1').lower()}")
        page = await anybody.get(f"/f/{code_of('case-1')}")
    assert answer.status_code == page.status_code == 200
    shown = answer.json()
    assert [step["event"] for step in shown["steps"]] == ["registered", "first_answered"]
    assert shown["steps"][-1]["text"] == "电梯已派人维修"
    assert shown["actions"] == ["supplement", "urge", "withdraw", "rate"]
    for content in (answer.text, page.text):
        assert [hidden for hidden in (REMARK, "赵某", "case-1", "assistant", "sealed", "repairs") if hidden in content] == []
    assert "电梯已派人维修" in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"


async def test_the_complainant_supplements_urges_and_rates_in_his_own_role(harness: SlaHarness) -> None:
    code = code_of("case-2")
    async with complainant(harness) as (service, anybody):
        await harness.send_first_decision("case-2")
        await wait_for_events(service, "case-2", "registered")
        supplement = {"action": "supplement", "text": "二号楼也停了"}
        for _ in range(2):  # the same request sent again
            answer = await anybody.post(f"/v1/follow/{code}", json=supplement, headers={"Idempotency-Key": "k"})
            assert answer.status_code == 200, answer.text
        early = await anybody.post(f"/v1/follow/{code}", json={"action": "rate", "score": 80})
        await act(service, "case-2", "answer", text="已修好")
        form = await anybody.post(f"/f/{code}", data={"action": "rate", "score": "30", "text": "慢", "once": "rate-1"})
        shown = (await anybody.get(f"/v1/follow/{code}")).json()
        async with service.database.transaction() as tx:
            rows = await tx.fetch("SELECT type, body FROM ledger WHERE case_id = 'case-2' AND type IN ('supplemented', 'rated')")
    assert early.status_code == 409
    assert early.json()["type"].endswith("not_offered")
    assert form.status_code == 303
    assert [row["type"] for row in rows] == ["supplemented", "rated"]
    assert all(b'"role":"complainant"' in bytes(row["body"]) for row in rows)
    assert [step["event"] for step in shown["steps"]] == ["registered", "supplemented", "first_answered", "rated"]


async def test_the_complainant_reads_again_what_he_wrote_and_nothing_that_others_wrote(harness: SlaHarness) -> None:
    code, lead = code_of("copy-9"), code_of("lead-9")
    async with complainant(harness) as (service, anybody):
        for case in ("lead-9", "copy-9"):
            await harness.send_first_decision(case)
            await wait_for_events(service, case, "registered")
        await act(service, "copy-9", "link", case="lead-9", **{"as": "duplicate"})
        await wait_for_events(service, "lead-9", "duplicate_joined")
        for action, text in (("urge", "请尽快"), ("supplement", "老人被困一小时")):
            assert (await anybody.post(f"/v1/follow/{code}", json={"action": action, "text": text})).status_code == 200
        await wait_for_events(service, "lead-9", "supplemented")
        await act(service, "lead-9", "urge", text=REMARK)
        own = (await anybody.get(f"/v1/follow/{code}")).json()
        page = await anybody.get(f"/f/{code}")
        other = await anybody.get(f"/v1/follow/{lead}")
    assert [(step["event"], step["text"]) for step in own["steps"] if "text" in step] == [
        ("urged", "请尽快"),
        ("supplemented", "老人被困一小时"),
    ]
    assert [text for text in ("请尽快", "老人被困一小时") if f'<div class="said">{text}</div>' in page.text] == ["请尽快", "老人被困一小时"]
    # Both went on to the lead, whose own complainant wrote nothing.
    assert [step["event"] for step in other.json()["steps"]] == ["registered", "urged"]
    assert [hidden for hidden in ("请尽快", "老人被困一小时", REMARK) if hidden in other.text] == []


async def test_acts_of_handling_are_not_the_complainants(harness: SlaHarness) -> None:
    async with complainant(harness) as (service, anybody):
        await harness.send_first_decision("case-3")
        await wait_for_events(service, "case-3", "registered")
        for action in ("close", "answer", "amend", "link", "reassign", "nonsense"):
            answer = await anybody.post(f"/v1/follow/{code_of('case-3')}", json={"action": action, "text": "x"})
            assert answer.status_code == 409
            assert "must be one of supplement, urge, withdraw" in answer.json()["detail"]
        async with service.database.transaction() as tx:
            assert await tx.fetchval("SELECT count(*) FROM ledger WHERE case_id = 'case-3' AND cause = 'action'") == 0


async def test_unknown_codes_are_answered_alike_and_bounded_while_known_ones_are_served(harness: SlaHarness) -> None:
    async with complainant(harness, per_second=0.5) as (service, anybody):
        await harness.send_first_decision("case-4")
        await wait_for_events(service, "case-4", "registered")
        tried = [await anybody.get(f"/v1/follow/{follow_code(b'another key', str(number))}") for number in range(30)]
        malformed = await anybody.get("/f/%00<script>alert(1)</script>")
        known = await anybody.get(f"/v1/follow/{code_of('case-4')}")
        often = [(await anybody.get(f"/v1/follow/{code_of('case-4')}")).status_code for _ in range(10)]
    assert {answer.status_code for answer in tried} == {404, 429}
    assert len({answer.text for answer in tried if answer.status_code == 404}) == 1
    assert malformed.status_code in (404, 429)
    assert "<script>" not in malformed.text
    assert known.status_code == 200
    assert often[-1] == 429


async def test_faulty_forms_are_refused_and_tell_no_code_from_another(harness: SlaHarness) -> None:
    faults = [b"action=rate&score=abc", b"action=rate&score=1_0", "action=rate&score=٩".encode(), b"action=nonsense", b"&" * 500]
    async with complainant(harness) as (service, anybody):
        await harness.send_first_decision("case-6")
        await wait_for_events(service, "case-6", "registered")
        known = [(await anybody.post(f"/f/{code_of('case-6')}", content=body)).status_code for body in faults]
        unknown = [(await anybody.post(f"/f/{code_of('other')}", content=body)).status_code for body in (*faults, b"action=urge")]
        bodies = [{"action": "supplement", "text": "  "}, {"action": "supplement"}]
        empty = [(await anybody.post(f"/v1/follow/{code_of('case-6')}", json=body)).status_code for body in bodies]
        wrong = [{"action": "rate", "score": True}, {"action": "rate", "score": "80"}, {"action": "rate", "score": 101}]
        typed = [(await anybody.post(f"/v1/follow/{code_of('case-6')}", json=body)).status_code for body in wrong]
        nul = await anybody.post(f"/v1/follow/{code_of('case-6')}", json={"action": "supplement", "text": "a\x00b"})
    assert (known, unknown) == ([422] * 5, [404] * 6)
    assert (empty, typed) == ([422] * 2, [422] * 3)
    assert nul.json()["steps"][-1]["text"] == "a\ufffdb"


async def test_a_refused_form_can_be_corrected_and_heads_methods_and_languages_are_served(harness: SlaHarness) -> None:
    code = code_of("case-7")
    async with complainant(harness) as (service, anybody):
        await harness.send_first_decision("case-7")
        await wait_for_events(service, "case-7", "registered")
        await act(service, "case-7", "answer", text="已修好")
        unrated = await anybody.post(f"/f/{code}?lang=fr", data={"action": "rate", "text": "很慢", "once": "rate-2"})
        once = re.findall(r'name="once" value="(rate-[^"]+)"', unrated.text)[0]
        rated = await anybody.post(f"/f/{code}", data={"action": "rate", "text": "很慢", "score": "30", "once": once})
        heads = [await anybody.head(path) for path in ("/f", f"/f/{code}", f"/v1/follow/{code}")]
        puts = [await anybody.put(path) for path in ("/f", f"/f/{code}", f"/v1/follow/{code}")]
        page = await anybody.get(f"/f/{code}", params={"lang": "nonsense"})
    assert (unrated.status_code, rated.status_code) == (422, 303)
    assert "很慢</textarea>" in unrated.text
    assert "请选择您的评价" in unrated.text
    assert [(head.status_code, head.content) for head in heads] == [(200, b"")] * 3
    assert [(put.status_code, put.headers["allow"]) for put in puts] == [
        (405, "GET, HEAD"),
        (405, "GET, HEAD, POST"),
        (405, "GET, HEAD, POST"),
    ]
    assert (page.status_code, '<html lang="zh">' in page.text, "不满意" in page.text) == (200, True, True)


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_the_page_needs_no_script_and_names_every_field(harness: SlaHarness, language: str) -> None:
    async with complainant(harness) as (service, anybody):
        await harness.send_first_decision("case-5")
        await wait_for_events(service, "case-5", "registered")
        start = await anybody.get("/f", params={"lang": language})
        led = await anybody.get("/f", params={"lang": language, "code": code_of("case-5")})
        page = await anybody.get(f"/f/{code_of('case-5')}", params={"lang": language})
    assert led.status_code == 303
    assert led.headers["location"].startswith(f"f/{code_of('case-5')}")
    for content in (start.text, page.text):
        assert f'<html lang="{language}">' in content
        assert "<script" not in content
        named = set(re.findall(r'<label for="([^"]+)"', content))
        assert set(re.findall(r'<(?:textarea|input type="text") id="([^"]+)"', content)) == named


async def test_without_a_key_there_is_no_page(harness: SlaHarness) -> None:
    async with build(harness.settings).running() as service, httpx.AsyncClient(base_url=f"http://127.0.0.1:{service.http_port}") as anybody:
        assert (await anybody.get(f"/v1/follow/{code_of('case-1')}")).status_code == 404
        assert (await anybody.get("/f")).status_code == 404
