"""GET /v1/cases on real servers: filters, pages, CSV, visibility and the search by phone number."""

import csv
import hashlib
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from pydantic import SecretStr

from services.sla.bootstrap import build
from shared.contracts.person_keys import person_key, pseudonym_key
from shared.contracts.topics import TRIAGE_EVENTS
from tests.integration.sla.recorded_cases import record_routed_cases, wait_for_events
from tests.integration.sla.sla_harness import (
    OTHER_DEPARTMENT_TOKEN,
    PERSON_TOKEN,
    SlaHarness,
    first_decision,
    person_client,
    write_organisation,
)
from tests.support.messaging.cloud_events import case_event

LONG_AGO = datetime.now(UTC) - timedelta(days=30)


async def listed(http: httpx.AsyncClient, **parameters: Any) -> list[str]:
    answer = await http.get("/v1/cases", params=parameters)
    assert answer.status_code == 200, answer.text
    return [row["case"] for row in answer.json()["cases"]]


async def test_cases_are_listed_newest_first_in_pages(harness: SlaHarness) -> None:
    async with harness.build().running() as service, person_client(service) as http:
        for number in range(5):
            await harness.send_first_decision(f"case-{number}", LONG_AGO + timedelta(minutes=number))
        for number in range(5):
            await wait_for_events(service, f"case-{number}", "registered")
        assert await listed(http) == ["case-4", "case-3", "case-2", "case-1", "case-0"]
        first = await http.get("/v1/cases", params={"limit": 2, "status": "open"})
        second = await http.get(first.links["next"]["url"])
        third = await http.get("/v1/cases", params={"limit": 2, "status": "open", "cursor": second.json()["next_cursor"]})
        foreign = await http.get("/v1/cases", params={"limit": 2, "cursor": second.json()["next_cursor"]})
        as_csv = await http.get("/v1/cases", params={"limit": 2}, headers={"Accept": "text/csv"})
    pages = [[row["case"] for row in page.json()["cases"]] for page in (first, second, third)]
    assert pages == [["case-4", "case-3"], ["case-2", "case-1"], ["case-0"]]
    assert third.json()["next_cursor"] is None
    assert (foreign.status_code, foreign.json()["type"]) == (422, "urn:jiesu:problem:invalid")
    assert "same filters" in foreign.json()["detail"]
    rows = list(csv.DictReader(io.StringIO(as_csv.text)))
    assert [row["case"] for row in rows] == ["case-4", "case-3"]
    assert rows[0]["received_at"] == first.json()["cases"][0]["received_at"]


async def test_filters_find_late_cases_and_a_number(harness: SlaHarness) -> None:
    async with harness.build().running() as service, person_client(service) as http:
        await harness.send_first_decision("late", LONG_AGO)
        await harness.send_first_decision("fresh")
        await wait_for_events(service, "late", "clock_breached")
        await wait_for_events(service, "fresh", "clock_started")
        late = (await http.get("/v1/cases", params={"breached": True})).json()["cases"]
        number = late[0]["number"]
        assert await listed(http, number=number, procedure="hunan-property", breached=True, **{"class": "valid"}) == ["late"]
        assert await listed(http, number="none") == []
        assert await listed(http, breached=False) == ["fresh"]
        assert await listed(http, due_before=(LONG_AGO + timedelta(days=10)).isoformat()) == ["late"]
        assert await listed(http, status="closed") == []
        case = (await http.get("/v1/cases/late")).json()
        clocks = (await http.get("/v1/cases/late/clocks")).json()["clocks"]
    assert [row["case"] for row in late] == ["late"]
    assert late[0]["late_by"] > timedelta(days=10).total_seconds()
    assert case["breached"]
    assert {breach["clock"] for breach in case["breaches"]} == {clock["clock"] for clock in clocks if clock["breached"]}
    assert {event["at"][-6:] for event in case["events"]} == {case["received_at"][-6:]} == {"+08:00"}


async def test_list_shows_what_a_single_case_would_show(harness: SlaHarness) -> None:
    async with (
        harness.build().running() as service,
        person_client(service) as http,
        person_client(service, OTHER_DEPARTMENT_TOKEN) as gardener,
    ):
        routes: dict[str, dict[str, Any]] = {
            "repairs": {"department": "repairs"},
            "gardens": {"department": "gardens"},
            "helped": {"department": "repairs", "cooperating": ["gardens"]},
            "nobody": {},
        }
        await record_routed_cases(harness, service, http, routes)
        everything, own = set(await listed(http)), set(await listed(gardener))
        single = {case for case in everything if (await gardener.get(f"/v1/cases/{case}")).status_code == 200}
        anonymous = await http.get("/v1/cases", headers={"Authorization": "Bearer unknown"})
    assert everything == {"repairs", "gardens", "helped", "nobody"}
    assert own == single == {"gardens", "helped", "nobody"}
    assert anonymous.status_code == 401


async def test_right_to_find_by_phone_lists_the_cases_of_a_number(harness: SlaHarness) -> None:
    li = {"id": "li", "roles": ["assistant"], "token_sha256": hashlib.sha256(PERSON_TOKEN.encode()).hexdigest(), "may": ["find_by_phone"]}
    qian = {"id": "qian", "roles": ["handler"], "token_sha256": hashlib.sha256(OTHER_DEPARTMENT_TOKEN.encode()).hexdigest()}
    path = write_organisation(harness.settings.organisation, people=[li, qian], departments=[], line={}, fallback="li")
    settings = harness.settings.model_copy(update={"organisation": path, "pseudonym_key": SecretStr("secret")})
    keys = [person_key("phone", "+8613800000000", pseudonym_key("secret"))]
    decision = first_decision("mine", datetime.now(UTC) - timedelta(minutes=1))
    registered = decision.registered
    assert registered is not None
    decision = decision.model_copy(update={"registered": registered.model_copy(update={"complainant_keys": keys})})
    async with (
        build(settings).running() as service,
        person_client(service) as http,
        person_client(service, OTHER_DEPARTMENT_TOKEN) as other,
    ):
        await harness.topic_client.publish(case_event(TRIAGE_EVENTS, decision, "triage"))
        await harness.send_first_decision("other")
        await wait_for_events(service, "mine", "registered")
        await wait_for_events(service, "other", "registered")
        answers = [
            await http.get("/v1/cases", headers={"Complainant-Phone": phone}) for phone in ("138 0000 0000", "13900000000", "nonsense")
        ]
        refused = await other.get("/v1/cases", headers={"Complainant-Phone": "13800000000"})
    assert [[row["case"] for row in answer.json()["cases"]] for answer in answers[:2]] == [["mine"], []]
    assert (answers[2].status_code, refused.status_code) == (422, 403)
    assert "nonsense" not in answers[2].text
    assert "find_by_phone" in refused.json()["detail"]
