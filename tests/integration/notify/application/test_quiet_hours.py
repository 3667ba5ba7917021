"""Quiet hours at every attempt: a text message that an outage delays into the night waits for the morning."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from fastapi import Response

from deploy.sinks import SmsSink
from services.notify.config import NotifySettings
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database
from tests.integration.notify.notify_process import NotifyProcess, notification_request, outcomes

EVENING, NIGHT, MORNING = (datetime.fromisoformat(f"2026-09-{text}:00+08:00") for text in ("24T21:50", "24T22:10", "25T08:00"))


@pytest.fixture
async def process(settings: NotifySettings, database: Database) -> AsyncIterator[NotifyProcess]:
    clock = Clock(EVENING, Clock().real_now())
    started = NotifyProcess(settings.model_copy(update={"quiet_hours": "22:00-08:00"}), database, clock=clock)
    yield started
    await started.close()


async def due_instants(process: NotifyProcess) -> list[tuple[str, datetime]]:
    """Status of each delivery, and the domain instant at which it is due, in whole minutes."""
    rows = await process.delivery_rows()
    return [(row["status"], process.clock.to_domain(row["due_at"]).replace(second=0, microsecond=0)) for row in rows]


async def test_retry_in_the_quiet_hours_waits_for_the_morning(process: NotifyProcess, sms: SmsSink) -> None:
    sms.queued_responses.append(Response(status_code=503))
    await process.record_requests(notification_request(by=["sms"]))
    claimed = await process.claim("sms")
    process.clock.domain_origin = NIGHT.astimezone(UTC)
    await process.settle(await process.send(claimed, "sms"), "sms")
    assert await due_instants(process) == [("pending", MORNING)]
    process.clock.domain_origin = MORNING.astimezone(UTC)
    async with process.database.transaction() as tx:
        await tx.execute("UPDATE delivery SET due_at = $1", process.clock.to_real(MORNING))
    assert await process.run_cycle("sms") == 1
    assert outcomes(await process.outbox_events()) == [("sent", "li", "sms", 2, "")]


async def test_first_attempt_that_is_late_waits_for_the_morning(process: NotifyProcess, sms: SmsSink) -> None:
    await process.record_requests(notification_request(by=["sms"]), notification_request("c2", by=["sms"], urgent=True))
    process.clock.domain_origin = NIGHT.astimezone(UTC)
    assert await process.run_cycle("sms") == 1
    assert min(await due_instants(process)) == ("pending", MORNING)
    assert [event["case"] for event in await process.outbox_events()] == ["c2"]
    assert len(sms.message_file.messages) == 1


async def test_urgent_message_and_mail_are_repeated_in_the_night(process: NotifyProcess, sms: SmsSink) -> None:
    sms.queued_responses.append(Response(status_code=503))
    await process.record_requests(notification_request(by=["sms"], urgent=True), notification_request("c2", by=["email"]))
    process.clock.domain_origin = NIGHT.astimezone(UTC)
    assert await process.run_cycle("sms") == 1
    assert await process.run_cycle("email") == 1
    assert min(await due_instants(process)) == ("pending", NIGHT)


async def test_digest_with_a_message_exempt_from_quiet_hours_is_exempt(settings: NotifySettings, database: Database) -> None:
    changes = {"quiet_hours": "22:00-08:00", "digest_window": 900.0, "digest_after": 0}
    process = NotifyProcess(settings.model_copy(update=changes), database, clock=Clock(EVENING, Clock().real_now()))
    await process.record_requests(*(notification_request(f"c{n}", by=["sms"], urgent=n > 1) for n in range(5)))
    async with process.database.transaction() as tx:
        await tx.execute("UPDATE delivery SET due_at = now()")
    await process.digests.close_due()
    exempt = {row["id"]: row["any_hour"] for row in await process.delivery_rows() if row["carries"]}
    expected: dict[object, bool] = {}
    for row in await process.delivery_rows():
        if row["carrier"]:
            expected[row["carrier"]] = expected.get(row["carrier"], False) or row["any_hour"]
    assert exempt == expected
    assert sorted(exempt.values()) == [False, True]
    await process.close()
