"""The review queue on real servers: list, lease, decision, rights, export and figures."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import httpx
import pytest

from cli.commands.authoring.training_export import exported_rows
from services.sla import metrics
from services.sla.application.reviews.measuring import set_review_gauges
from services.sla.bootstrap import build
from services.sla.timers import prune_reviews
from shared.contracts.events.triage import LabelGuess, Routed, RouteProposed
from shared.contracts.topics import TRIAGE_EVENTS
from shared.runtime.service import Service
from tests.integration.sla.recorded_cases import wait_for_events
from tests.integration.sla.sla_harness import SlaHarness, event_types, first_decision, person_client, write_organisation
from tests.support.messaging.cloud_events import case_event

PEOPLE: dict[str, dict[str, Any]] = {
    "li": {"roles": ["assistant"]},
    "wu": {"roles": ["assistant"]},
    "zhao": {"roles": ["handler"], "department": "repairs"},
    "sun": {"roles": []},
    "qian": {"roles": ["handler"], "department": "gardens"},
}
LONG_AGO = datetime.now(UTC) - timedelta(days=3)
GUESSES = [("department", "repairs", 0.6), ("department", "gardens", 0.3), ("kind", "complaint", 0.9)]


@pytest.fixture
def staffed(harness: SlaHarness) -> SlaHarness:
    people = [{"id": name, "token_sha256": sha256(name.encode()).hexdigest(), **fields} for name, fields in PEOPLE.items()]
    write_organisation(
        harness.settings.organisation, people=people, line={}, fallback="li", departments=[{"id": "repairs"}, {"id": "gardens"}]
    )
    return harness


async def send_for_review(
    harness: SlaHarness, case: str, reason: str = "confidence", minute: int = 0, department: str = "", against: tuple[str, ...] = ()
) -> None:
    at = LONG_AGO + timedelta(minutes=minute)
    first = first_decision(case, at)
    assert first.registered is not None
    complaint = first.registered.complaint.model_copy(update={"against": list(against)})
    first = first.model_copy(update={"registered": first.registered.model_copy(update={"complaint": complaint})})
    guesses = [LabelGuess(label=label, value=value, probability=probability) for label, value, probability in GUESSES]
    fields = {"case": case, "at": at, "procedure": "hunan-property", "version": 1, "by": "triage", "model": "m1", "review": reason}
    route_class = Routed if department else RouteProposed
    route = route_class.model_validate({**fields, "guesses": guesses, "department": department or "unassigned"})
    for sequence, event in enumerate((first, route), 1):
        await harness.topic_client.publish(replace(case_event(TRIAGE_EVENTS, event, "triage"), sequence=sequence))


async def listed(http: httpx.AsyncClient, **parameters: Any) -> list[str]:
    answer = await http.get("/v1/reviews", params=parameters)
    assert answer.status_code == 200, answer.text
    return [row["case"] for row in answer.json()["reviews"]]


async def test_queue_is_listed_oldest_first_in_pages_with_filters(staffed: SlaHarness) -> None:
    async with build(staffed.settings).running() as service, person_client(service, "li") as http, person_client(service, "qian") as qian:
        for number in range(3):
            await send_for_review(staffed, f"case-{number}", minute=number)
        await send_for_review(staffed, "audited", "audit", 3, "repairs")
        await send_for_review(staffed, "accused", "confidence", 4, against=("li",))
        for case in ("case-0", "case-1", "case-2", "accused"):
            await wait_for_events(service, case, "route_proposed")
        await wait_for_events(service, "audited", "routed")
        first = await http.get("/v1/reviews", params={"limit": 2})
        second = await http.get(first.links["next"]["url"])
        pages = [[row["case"] for row in page.json()["reviews"]] for page in (first, second)]
        assert pages == [["case-0", "case-1"], ["case-2", "audited"]]
        assert await listed(http, reason="audit") == ["audited"]
        assert await listed(http, department="repairs") == ["case-0", "case-1", "case-2", "audited"]
        assert await listed(http, department="gardens") == []
        assert await listed(http, confidence_below=0.6) == []
        assert len(await listed(http, confidence_from=0.6)) == 4
        opened = [row["opened_at"] for row in first.json()["reviews"]]
        assert await listed(http, opened_before=opened[1]) == ["case-0"]
        # A department reads what is nobody's and its own; the accused reads nothing of his case.
        assert await listed(qian) == ["case-0", "case-1", "case-2", "accused"]
        for path in ("", "/take", "/release"):
            answer = await http.post(f"/v1/reviews/accused{path}", json={"confirm": True})
            assert (answer.status_code, answer.json()["type"]) == (404, "urn:jiesu:problem:unknown_case")
        row = first.json()["reviews"][0]
        assert (row["reason"], row["confidence"], row["suggested_department"], row["taken_by"]) == ("confidence", 0.6, "repairs", "")
        assert [guess["value"] for guess in row["guesses"]] == ["repairs", "gardens", "complaint"]
        async with service.database.transaction() as tx:
            await set_review_gauges(tx, datetime.fromisoformat(opened[0]) + timedelta(hours=1))
        assert metrics.REVIEWS_OPEN.labels("confidence")._value.get() == 4
        assert metrics.REVIEWS_OLDEST.labels("confidence")._value.get() == pytest.approx(3600)


async def test_one_person_at_a_time_works_on_a_review(staffed: SlaHarness) -> None:
    async with build(staffed.settings).running() as service, person_client(service, "li") as li, person_client(service, "wu") as wu:
        await send_for_review(staffed, "case")
        await wait_for_events(service, "case", "route_proposed")
        takes = await asyncio.gather(*(http.post("/v1/reviews/case/take") for http in (li, wu)))
        assert sorted(answer.status_code for answer in takes) == [200, 409]
        holder, other = (li, wu) if takes[0].status_code == 200 else (wu, li)
        assert (await holder.post("/v1/reviews/case/take")).status_code == 200
        refused = await other.post("/v1/reviews/case", json={"confirm": True})
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:jiesu:problem:review_taken")
        plain = {"action": "decide_review", "role": "assistant", "data": {"confirm": True}}
        around = await other.post("/v1/cases/case/actions", json=plain)
        assert (around.status_code, around.json()["type"]) == (409, "urn:jiesu:problem:review_taken")
        assert (await other.post("/v1/reviews/case/release")).status_code == 204
        assert await listed(other, free=True) == []
        assert (await holder.post("/v1/reviews/case/release")).status_code == 204
        assert await listed(other, free=True) == ["case"]
        assert (await other.post("/v1/reviews/case/take")).status_code == 200
        async with service.database.transaction() as tx:
            await tx.execute("UPDATE review SET taken_until = now() - interval '1 second'")
        assert (await holder.post("/v1/reviews/case/take")).status_code == 200


async def test_whoever_may_not_decide_takes_no_review(staffed: SlaHarness) -> None:
    async with build(staffed.settings).running() as service, person_client(service, "sun") as sun, person_client(service, "li") as li:
        await send_for_review(staffed, "case")
        await wait_for_events(service, "case", "route_proposed")
        refused = await sun.post("/v1/reviews/case/take")
        assert (refused.status_code, refused.json()["type"]) == (403, "urn:jiesu:problem:forbidden")
        assert await listed(sun, free=True) == ["case"]
        assert (await li.post("/v1/reviews/case/take")).status_code == 200
        plain = {"action": "decide_review", "role": "assistant", "data": {"confirm": True}}
        assert (await li.post("/v1/cases/case/actions", json=plain)).status_code == 200


async def test_decision_is_taken_once_heard_by_all_and_learned(staffed: SlaHarness) -> None:
    async with build(staffed.settings).running() as service, person_client(service, "li") as li, person_client(service, "wu") as wu:
        await send_for_review(staffed, "guessed")
        await send_for_review(staffed, "wrong", "audit", 1, "repairs")
        await send_for_review(staffed, "overtaken", "confidence", 2)
        for case in ("guessed", "overtaken"):
            await wait_for_events(service, case, "route_proposed")
        await wait_for_events(service, "wrong", "routed")
        both = await asyncio.gather(*(http.post("/v1/reviews/guessed", json={"confirm": True}) for http in (li, wu)))
        assert sorted(answer.status_code for answer in both) == [200, 409]
        decision = {"department": "gardens", "text": "园林负责"}
        for repeated in (False, True):
            answer = await wu.post("/v1/reviews/wrong", json=decision, headers={"Idempotency-Key": "k1"})
            assert answer.status_code == 200, answer.text
            body = answer.json()
            assert (body["events"][0]["event"], body["repeated"]) == ("review_decided", repeated)
        route = {"action": "route", "role": "assistant", "data": {"department": "gardens"}}
        assert (await li.post("/v1/cases/overtaken/actions", json=route)).status_code == 200
        assert await listed(li) == []
        assert [name for name in await event_types(service, "guessed") if name in ("review_decided", "routed")] == [
            "review_decided",
            "routed",
        ]
        assert {"review_decided", "reassigned"} <= set(await event_types(service, "wrong"))
        gone = await li.post("/v1/reviews/wrong/take")
        assert (gone.status_code, gone.json()["type"]) == (409, "urn:jiesu:problem:not_for_review")
        await check_learned(service)
        await check_pruned(service)


async def check_learned(service: Service) -> None:
    """The export holds the two decisions and not the case that was routed without one; the gauges judge the guesses."""
    rows = [json.loads(line) for line in [line async for line in exported_rows(service.database, LONG_AGO, redact=True)]]
    assert sorted((row["group"], row["label"]["department"]) for row in rows) == [("guessed", "repairs"), ("wrong", "gardens")]
    assert {row["text"] for row in rows} == {"三号楼电梯停运"}
    async with service.database.transaction() as tx:
        outcomes = await tx.fetch("SELECT case_id, outcome, agreed FROM review ORDER BY case_id")
        await set_review_gauges(tx, datetime.now(UTC))
    assert [(row["case_id"], row["outcome"], row["agreed"]) for row in outcomes] == [
        ("guessed", "confirmed", True),
        ("overtaken", "overtaken", None),
        ("wrong", "corrected", False),
    ]
    assert metrics.REVIEWS_AGREED.labels("audit")._value.get() == 0
    assert metrics.REVIEWS_AGREED.labels("confidence")._value.get() == 1
    assert metrics.REVIEWS_CALIBRATION._value.get() == pytest.approx((0.6 + 0.1) / 2)


async def check_pruned(service: Service) -> None:
    """Past the retention ended reviews are deleted; open and held ones stay however old, and without a retention all stay."""
    async with service.database.transaction() as tx:
        await tx.execute("UPDATE review SET ended_at = ended_at - interval '40 days' WHERE case_id <> 'overtaken'")
        for case in ("held", "waits"):
            await tx.execute(f"INSERT INTO review VALUES ('{case}', 1, 'audit', '', 0.5, now() - interval '400 days', 'm1', '[]')")
        await tx.execute("UPDATE review SET ended_at = opened_at, agreed = true WHERE case_id = 'held'")
        await tx.execute("INSERT INTO legal_hold VALUES ('held', 'lawsuit', 'li', now())")
    assert await prune_reviews(service.database, service.clock, timedelta(0)) == 0
    assert await prune_reviews(service.database, service.clock, timedelta(days=30)) == 2
    assert await prune_reviews(service.database, service.clock, timedelta(days=30)) == 0
    async with service.database.transaction() as tx:
        assert [row["case_id"] for row in await tx.fetch("SELECT case_id FROM review ORDER BY case_id")] == [
            "held",
            "overtaken",
            "waits",
        ]
