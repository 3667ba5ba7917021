"""HTTP actions: decided at once, after waiting for unread input, or deferred."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import cast

import httpx
import orjson
import pytest

from services.sla.application.actions import TakeHttpActions
from services.sla.application.cases import UpdateCases
from services.sla.application.errors import ActionInProgressError, KeyReusedError
from services.sla.application.identity import IdentityRegistry
from services.sla.application.rulebooks import RulebookRegistry
from services.sla.storage.idempotency import CLAIM_EXPIRY, RETENTION
from services.sla.timers import prune_action_keys
from shared.contracts.actions import Action
from shared.contracts.topics import CASE_EVENTS, TRIAGE_EVENTS
from shared.procedures.loading.loader import load_organisation
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database
from shared.runtime.kafka.watermark import Watermark
from tests.integration.sla.recorded_cases import wait_for_events
from tests.integration.sla.sla_harness import SlaHarness, event_types, first_decision, person_client
from tests.support.messaging.cloud_events import case_event, received_record
from tests.support.waiting import wait_for

ANSWER = {"action": "answer", "role": "assistant"}


async def traceparent_of(harness: SlaHarness, event_type: str) -> str:
    """The traceparent of the first published event of a type."""

    async def published() -> str:
        records = await harness.topic_client.read_records(CASE_EVENTS)
        headers = [dict(record.headers) for record in records]
        return next((each["traceparent"].decode() for each in headers if each["ce_type"] == event_type.encode()), "")

    return await wait_for(published, what=f"{event_type} on case-events")


async def test_action_is_decided_at_once_and_its_idempotency_key_counts_once(harness: SlaHarness) -> None:
    async with harness.build().running() as service, person_client(service) as http:
        await harness.send_first_decision("case-5")
        await wait_for_events(service, "case-5", "registered")
        url = "/v1/cases/case-5/actions"
        caller = f"00-{'a' * 32}-{'b' * 16}-00"
        first = await http.post(url, json=ANSWER, headers={"Idempotency-Key": "1", "traceparent": caller})
        repeated = await http.post(url, json=ANSWER, headers={"Idempotency-Key": "1"})
        assert first.status_code == 200
        assert first.json()["events"][0]["event"] == "first_answered"
        assert repeated.json()["repeated"] is True
        assert await traceparent_of(harness, "first_answered") == caller
        assert (await event_types(service, "case-5")).count("first_answered") == 1
        assert repeated.json() == first.json() | {"repeated": True}
        refused = await http.post(url, json={"action": "close", "role": "supervisor"}, headers={"Idempotency-Key": "2"})
        assert refused.status_code == 409
        assert refused.json()["clause"] == "3.8"
        again = await http.post(url, json={"role": "supervisor", "action": "close", "data": {}}, headers={"Idempotency-Key": "2"})
        assert (again.status_code, again.json()) == (409, refused.json())
        assert (await event_types(service, "case-5")).count("action_refused") == 1


async def test_key_of_another_action_is_refused_and_the_action_not_called_accepted(harness: SlaHarness) -> None:
    async with harness.build().running() as service, person_client(service) as http:
        await harness.send_first_decision("case-9")
        await wait_for_events(service, "case-9", "registered")
        url, key = "/v1/cases/case-9/actions", {"Idempotency-Key": "1"}
        assert (await http.post(url, json=ANSWER, headers=key)).status_code == 200
        reused = await http.post(url, json={"action": "handle", "role": "assistant"}, headers=key)
        other_text = await http.post(url, json=ANSWER | {"data": {"text": "another"}}, headers=key)
        assert [(answer.status_code, answer.json()["type"]) for answer in (reused, other_text)] == [
            (422, "urn:jiesu:problem:key_reused")
        ] * 2
        assert "accepted" not in reused.json()
        assert "handled" not in await event_types(service, "case-9")


async def test_key_of_an_action_that_was_not_done_may_be_used_again(harness: SlaHarness) -> None:
    async with harness.build().running() as service, person_client(service) as http:
        await harness.send_first_decision("case-10")
        await wait_for_events(service, "case-10", "registered")
        url, key = "/v1/cases/case-10/actions", {"Idempotency-Key": "1"}
        assert (await http.post(url, json={"action": "answer", "role": "management"}, headers=key)).status_code == 403
        assert (await http.post(url, json=ANSWER, headers=key)).status_code == 200


async def test_invalid_requests_name_the_field_and_the_rule(harness: SlaHarness) -> None:
    async with harness.build().running() as service, person_client(service) as http:
        await harness.send_first_decision("case-6")
        await wait_for_events(service, "case-6", "registered")
        url = "/v1/cases/case-6/actions"
        misspelt = await http.post(url, json={**ANSWER, "data": {"txt": "x"}})
        assert misspelt.status_code == 422
        assert "txt" in misspelt.json()["detail"]
        assert (await http.post(url, json={"action": "answer", "role": "management"})).status_code == 403
        assert (await http.post(url, json={"action": "shout", "role": "assistant"})).status_code == 422
        no_role = await http.post(url, json={"action": "answer"})
        assert no_role.status_code == 422
        assert "role is missing" in no_role.json()["detail"]
        assert (await http.post("/v1/cases/none/actions", json=ANSWER)).status_code == 404
        assert (await http.post(url, json=ANSWER, headers={"Authorization": "Bearer wrong"})).status_code == 401
        assert (await http.get("/v1/cases/case-6", headers={"Authorization": ""})).status_code == 401


async def test_action_on_a_parked_case_is_a_conflict(harness: SlaHarness) -> None:
    async with harness.build().running() as service, person_client(service) as http:
        await harness.send_first_decision("case-7")
        await wait_for_events(service, "case-7", "registered")
        by_missing_version = first_decision("case-7", datetime.now(UTC)).model_copy(update={"version": 999})
        await harness.topic_client.publish(case_event(TRIAGE_EVENTS, by_missing_version, "triage"))

        async def conflict() -> httpx.Response | None:
            answer = await http.post("/v1/cases/case-7/actions", json={"action": "supplement", "role": "assistant"})
            return answer if answer.status_code == 409 else None

        parked = await wait_for(conflict, what="the parked case")
    assert parked is not None
    assert "dead letter" in parked.json()["detail"]


class LaggingWatermark:
    """The input has not been read past any deadline; `wait_until_passed` reads it, or gives up."""

    def __init__(self, *, catches_up: bool) -> None:
        self.waits: list[tuple[datetime, float]] = []
        self._catches_up = catches_up

    def has_passed(self, _partition: int, _instant: datetime) -> bool:
        return self._catches_up and bool(self.waits)

    async def wait_until_passed(self, partition: int, instant: datetime, timeout: float) -> bool:  # noqa: ASYNC109 - as in Watermark
        self.waits.append((instant, timeout))
        return self.has_passed(partition, instant)


@pytest.fixture
async def overdue_case(harness: SlaHarness) -> AsyncIterator[tuple[UpdateCases, Database]]:
    """A database with the case `late`, whose deadlines passed 20 days ago and have not been processed."""
    database = Database(harness.settings, "sla")
    organisation = load_organisation(harness.settings.organisation)
    cases = UpdateCases(RulebookRegistry(organisation), IdentityRegistry(organisation), Clock())
    decision = first_decision("late", datetime.now(UTC) - timedelta(days=20), facility_failure=True)
    async with database.transaction() as tx:
        await cases.apply_batch(
            tx, [received_record(TRIAGE_EVENTS, decision, "triage")], cast("Watermark", LaggingWatermark(catches_up=False))
        )
    yield cases, database
    await database.close()


async def deferred_count(database: Database) -> int:
    async with database.transaction() as tx:
        return int(await tx.fetchval("SELECT count(*) FROM held WHERE case_id = 'late'"))


async def test_action_after_an_unread_deadline_waits_for_the_input_and_is_decided(overdue_case: tuple[UpdateCases, Database]) -> None:
    cases, database = overdue_case
    watermark = LaggingWatermark(catches_up=True)
    actions = TakeHttpActions(cases, database, cast("Watermark", watermark), max_wait=3)
    result = await actions.take(Action(case="late", action="answer", role="assistant"), cases.identities.actor_by_id("li"), None)
    assert [timeout for _, timeout in watermark.waits] == [3]
    assert "first_answered" in [event.type for event in result.events]
    assert "clock_breached" in [event.type for event in result.events], "the deadline is processed before the action"
    assert not result.deferred
    assert await deferred_count(database) == 0


async def test_action_is_deferred_if_the_input_is_not_read_in_time(overdue_case: tuple[UpdateCases, Database]) -> None:
    cases, database = overdue_case
    actions = TakeHttpActions(cases, database, cast("Watermark", LaggingWatermark(catches_up=False)), max_wait=3)
    actor = cases.identities.actor_by_id("li")
    answer = Action(case="late", action="answer", role="assistant")
    results = [await actions.take(answer, actor, key) for key in ("1", "1", "2")]
    assert [(result.deferred, result.repeated, len(result.events)) for result in results] == [
        (True, False, 0),
        (True, True, 0),
        (True, False, 0),
    ]
    assert await deferred_count(database) == 2


class BlockedWatermark(LaggingWatermark):
    """The input is read when the test says so."""

    def __init__(self) -> None:
        super().__init__(catches_up=True)
        self.waiting, self.read = asyncio.Event(), asyncio.Event()

    async def wait_until_passed(self, partition: int, instant: datetime, timeout: float) -> bool:  # noqa: ASYNC109 - as in Watermark
        self.waiting.set()
        await self.read.wait()
        return await super().wait_until_passed(partition, instant, timeout)


async def test_second_request_while_the_first_is_being_done_is_a_conflict(overdue_case: tuple[UpdateCases, Database]) -> None:
    cases, database = overdue_case
    watermark = BlockedWatermark()
    actions = TakeHttpActions(cases, database, cast("Watermark", watermark), max_wait=3)
    answer, actor = Action(case="late", action="answer", role="assistant"), cases.identities.actor_by_id("li")
    first = asyncio.create_task(actions.take(answer, actor, "1"))
    await watermark.waiting.wait()
    with pytest.raises(ActionInProgressError):
        await actions.take(answer, actor, "1")
    with pytest.raises(KeyReusedError):
        await actions.take(Action(case="late", action="handle", role="assistant"), actor, "1")
    watermark.read.set()
    done, repeated = await first, await actions.take(answer, actor, "1")
    assert [(event.type, event.at, event.sequence) for event in repeated.events] == [(e.type, e.at, e.sequence) for e in done.events]
    assert (done.repeated, repeated.repeated) == (False, True)


async def test_claim_of_a_dead_process_is_taken_over_and_its_late_answer_refused(overdue_case: tuple[UpdateCases, Database]) -> None:
    cases, database = overdue_case
    watermark = BlockedWatermark()
    slow = TakeHttpActions(cases, database, cast("Watermark", watermark), max_wait=3)
    answer, actor = Action(case="late", action="answer", role="assistant"), cases.identities.actor_by_id("li")
    first = asyncio.create_task(slow.take(answer, actor, "1"))
    await watermark.waiting.wait()
    async with database.transaction() as tx:
        await tx.execute("UPDATE action_key SET claimed_at = claimed_at - $1::interval", CLAIM_EXPIRY)
    other = TakeHttpActions(cases, database, cast("Watermark", LaggingWatermark(catches_up=True)), max_wait=3)
    assert "first_answered" in [event.type for event in (await other.take(answer, actor, "1")).events]
    watermark.read.set()
    with pytest.raises(ActionInProgressError):
        await first
    assert (await other.take(answer, actor, "1")).repeated
    async with database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM ledger WHERE type IN ('first_answered', 'answered')") == 1


async def test_old_keys_are_pruned(overdue_case: tuple[UpdateCases, Database]) -> None:
    cases, database = overdue_case
    actions = TakeHttpActions(cases, database, cast("Watermark", LaggingWatermark(catches_up=True)), max_wait=3)
    answer, actor = Action(case="late", action="answer", role="assistant"), cases.identities.actor_by_id("li")
    for key in ("old", "new"):
        await actions.take(answer, actor, key)
    async with database.transaction() as tx:
        [oldest] = await tx.fetch("SELECT id FROM action_key ORDER BY claimed_at LIMIT 1")
        await tx.execute("UPDATE action_key SET claimed_at = claimed_at - $1::interval WHERE id = $2", RETENTION, oldest["id"])
    assert await prune_action_keys(database) == 1


async def test_findings_are_published_with_their_data_and_wrong_ones_refused_by_field(harness: SlaHarness) -> None:
    async with harness.build().running() as service, person_client(service) as http:
        await harness.send_first_decision("case-f")
        await wait_for_events(service, "case-f", "registered")
        url = "/v1/cases/case-f/actions"

        async def act(action: str, **data: object) -> httpx.Response:
            return await http.post(url, json={"action": action, "role": "supervisor", "data": data})

        assert (await act("propose_compensation", compensation="cash", amount=1200.5, household="3-1")).status_code == 200
        assert (await act("pay_compensation", household="3-1")).status_code == 409
        assert (await act("decide_compensation", passed=True, household="3-1", amount=1000)).status_code == 200
        assert (await act("record_liability", persons=["周某"], units=["repairs"])).status_code == 200
        wrong = await act("propose_compensation", compensation="cash", amount=0.001)
        assert wrong.status_code == 422
        assert "amount" in wrong.text
        assert "0.001" not in wrong.text
        async with service.database.transaction() as tx:
            rows = await tx.fetch("SELECT type, body FROM ledger WHERE case_id = 'case-f' ORDER BY sequence")
        bodies = {row["type"]: orjson.loads(row["body"]) for row in rows}
        assert bodies["compensation_proposed"]["amount"] == 1200.5
        assert (bodies["compensation_approved"]["amount"], bodies["compensation_approved"]["compensation"]) == (1000, "cash")
        assert bodies["liability_recorded"]["persons"] == ["周某"]
