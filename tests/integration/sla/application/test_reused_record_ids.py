"""An action on Kafka under an id that another action has used is a dead letter; the same action again has no effect."""

from base64 import b64encode
from typing import Any

from shared.contracts.topics import CASE_ACTIONS
from shared.runtime.clock import uuid7
from tests.integration.sla.recorded_cases import wait_for_events
from tests.integration.sla.sla_harness import SIGNING_KEY, SlaHarness, event_types
from tests.support.messaging.cloud_events import cloud_event, signature_headers
from tests.support.waiting import wait_for


async def send(harness: SlaHarness, event_id: str, case: str, action: str) -> None:
    body = {"case": case, "action": action, "role": "assistant", "data": {"text": action}}
    record = cloud_event(CASE_ACTIONS, case, "action", body, event_id=event_id)
    await harness.topic_client.publish(record, signature_headers(SIGNING_KEY.private_bytes_raw(), "li-1", record))


async def test_other_action_under_a_used_id_is_a_dead_letter_and_parks_nothing(harness: SlaHarness) -> None:
    async with harness.build().running() as service:
        for case in ("case-1", "case-2"):
            await harness.send_first_decision(case)
            await wait_for_events(service, case, "registered")
        event_id = uuid7()
        await send(harness, event_id, "case-1", "answer")
        await wait_for_events(service, "case-1", "first_answered")
        await send(harness, event_id, "case-1", "answer")
        await send(harness, event_id, "case-1", "handle")
        await send(harness, event_id, "case-2", "answer")

        async def dead_letters() -> list[Any] | None:
            async with service.database.transaction() as tx:
                rows = await tx.fetch("SELECT key, reason FROM dead_letter ORDER BY key")
            return rows if len(rows) == 2 else None

        letters = await wait_for(dead_letters)
        await send(harness, uuid7(), "case-1", "handle")
        await wait_for_events(service, "case-1", "handled")
        types = await event_types(service, "case-1")
    assert letters is not None
    assert [row["key"] for row in letters] == ["case-1", "case-2"]
    assert all(row["reason"].startswith("key_reused") for row in letters)
    assert (types.count("first_answered"), types.count("answered"), types.count("handled")) == (1, 0, 1)


async def test_same_action_of_somebody_else_under_a_used_id_is_a_dead_letter(harness: SlaHarness) -> None:
    async with harness.build().running() as service:
        await harness.send_first_decision("case-1")
        await wait_for_events(service, "case-1", "registered")
        body = {"case": "case-1", "action": "supplement", "role": "assistant", "data": {"text": "还没有人来"}}
        record = cloud_event(CASE_ACTIONS, "case-1", "action", body)
        for key_id in ("li-1", "li-2", "hotline-1"):
            await harness.topic_client.publish(record, signature_headers(SIGNING_KEY.private_bytes_raw(), key_id, record))

        async def dead_letters() -> list[Any]:
            async with service.database.transaction() as tx:
                return list(await tx.fetch("SELECT reason, headers FROM dead_letter"))

        [letter] = await wait_for(dead_letters)
        types = await event_types(service, "case-1")
    assert letter["reason"].startswith("key_reused")
    assert b64encode(b"hotline-1").decode() in str(letter["headers"]), "another key of the same person signs the same action"
    assert types.count("supplemented") == 1
