"""sla on real servers: records open and change cases, and each deadline is processed once, never before it is known to be missed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer

from services.sla.timers import prune_unregistered
from shared.contracts.topics import TRIAGE_EVENTS
from shared.runtime.kafka.signing import is_signature_valid
from shared.runtime.service import Service
from tests.integration.sla.recorded_cases import wait_for_events
from tests.integration.sla.sla_harness import SlaHarness, first_decision, person_client
from tests.support.messaging.cloud_events import case_event, cloud_event
from tests.support.waiting import wait_for


async def deferred_inputs(service: Service, case: str) -> int:
    async with service.database.transaction() as tx:
        return int(await tx.fetchval("SELECT count(*) FROM held WHERE case_id = $1", case))


async def dead_letter_reasons(service: Service) -> list[str]:
    async with service.database.transaction() as tx:
        return [row["reason"] for row in await tx.fetch("SELECT reason FROM dead_letter")]


async def deadline_figures(service: Service) -> dict[str, int]:
    """The deadlines that ended, by outcome, as they were tallied and as many of them were added up already."""
    query = """
    SELECT detail, sum(number)::int AS number
    FROM (SELECT figure, detail, number FROM tally UNION ALL SELECT figure, detail, number FROM daily_figure) AS figures
    WHERE figure = 'deadlines' GROUP BY detail
    """
    async with service.database.transaction() as tx:
        return {row["detail"]: row["number"] for row in await tx.fetch(query)}


async def ended_deadlines(service: Service) -> int:
    """The deadlines that ended by the ledger."""
    async with service.database.transaction() as tx:
        bodies = [orjson.loads(row["body"]) for row in await tx.fetch("SELECT body FROM ledger WHERE type LIKE 'clock%'")]
    ended = [body for body in bodies if body["type"] in ("clock_breached", "clock_stopped") and not body.get("same_delay")]
    return len({(body["case"], body["clock"], body["round"]) for body in ended})


async def first_body(service: Service, case: str, kind: str) -> bytes:
    async with service.database.transaction() as tx:
        return bytes(await tx.fetchval("SELECT body FROM ledger WHERE case_id = $1 AND type = $2 ORDER BY sequence LIMIT 1", case, kind))


async def test_signed_action_changes_an_open_case(harness: SlaHarness) -> None:
    async with harness.build().running() as service:
        await harness.send_first_decision("case-1", facility_failure=True)
        await harness.send_action("case-1", "answer", text="已派人")
        types = await wait_for_events(service, "case-1", "first_answered")
    assert types[0] == "registered"
    assert types.count("registered") == 1


async def test_repeated_first_decision_opens_a_case_once(harness: SlaHarness) -> None:
    async with harness.build().running() as service:
        await harness.send_first_decision("case-1")
        await harness.send_first_decision("case-1")
        await harness.send_action("case-1", "answer")
        types = await wait_for_events(service, "case-1", "first_answered")
        assert types.count("registered") == 1
        assert await dead_letter_reasons(service) == []


async def test_action_before_its_case_is_deferred_and_then_applied(harness: SlaHarness) -> None:
    async with harness.build().running() as service:
        await harness.send_action("case-2", "answer")
        await wait_for(lambda: deferred_inputs(service, "case-2"), what="the deferred action")
        await harness.send_first_decision("case-2")
        types = await wait_for_events(service, "case-2", "first_answered")
        assert types.index("registered") < types.index("first_answered")
        assert await deferred_inputs(service, "case-2") == 0


async def test_forged_action_is_a_dead_letter_and_does_not_park_the_case(harness: SlaHarness) -> None:
    async with harness.build().running() as service:
        await harness.send_first_decision("case-3")
        await wait_for_events(service, "case-3", "registered")
        await harness.send_action("case-3", "close", forged=True)
        await harness.send_action("case-3", "answer", key_id="unknown")
        await harness.send_action("case-3", "answer")
        types = await wait_for_events(service, "case-3", "first_answered")
        assert "closed" not in types
        reasons = await dead_letter_reasons(service)
    assert len(reasons) == 2
    assert all("unknown key or invalid signature" in reason for reason in reasons)


async def test_triage_events_that_sla_cannot_carry_out_are_dead_letters_and_stop_nobody(harness: SlaHarness) -> None:
    """The name of 300 bytes stopped the partition once: the file system refused it, and the batch was tried again without end."""
    received = datetime.now(UTC) - timedelta(minutes=1)
    async with harness.build().running() as service:
        for number, name in enumerate(("长" * 150, "../../etc", "no-such-procedure")):
            event = first_decision(f"bad-{number}", received).model_copy(update={"procedure": name})
            await harness.topic_client.publish(case_event(TRIAGE_EVENTS, event, "triage"))
        routed = cloud_event(TRIAGE_EVENTS, "bad-3", "routed", {"case": "bad-3", "at": received.isoformat()})
        await harness.topic_client.publish(routed)
        await harness.send_first_decision("case-2")
        await wait_for_events(service, "case-2", "registered")

        async def all_read() -> bool:
            return len(await dead_letter_reasons(service)) == 4

        await wait_for(all_read, what="the dead letters")
        reasons = sorted(await dead_letter_reasons(service))
    assert [reason[:9] for reason in reasons] == ["procedure"] * 3 + ["routed na"]


async def test_signature_of_an_action_is_checked_once(harness: SlaHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    checks: list[bool] = []

    def counted(*arguments: Any) -> bool:
        checks.append(is_signature_valid(*arguments))
        return checks[-1]

    monkeypatch.setattr("services.sla.application.identity.is_signature_valid", counted)
    async with harness.build().running() as service:
        await harness.send_first_decision("case-1")
        await wait_for_events(service, "case-1", "registered")
        await harness.send_action("case-1", "answer")
        await wait_for_events(service, "case-1", "first_answered")
    assert checks == [True]


async def test_action_in_a_role_that_the_signer_does_not_hold_is_refused(harness: SlaHarness) -> None:
    async with harness.build().running() as service:
        await harness.send_action("case-4", "answer", role="management")  # deferred: the role is checked once the case is registered
        await harness.send_first_decision("case-4")
        await harness.send_action("case-4", "answer", role="management")
        await harness.send_action("case-4", "answer", role="assistant")
        types = await wait_for_events(service, "case-4", "first_answered")
        assert types.count("action_refused") == 2
        assert b"does not hold management" in await first_body(service, "case-4", "action_refused")
        assert await dead_letter_reasons(service) == []


async def test_deadline_met_during_an_outage_is_not_breached(harness: SlaHarness) -> None:
    """sla is stopped when two deadlines fall due; the action that meets one of them waits in Kafka."""
    # The complaint is received so long before a midnight of the calendar's zone that its day ends ten real seconds from now.
    scale = 1440.0
    origin = datetime.now(UTC)
    midnight = datetime.fromisoformat("2026-09-24T00:00:00+08:00")
    start = midnight - timedelta(seconds=10 * scale)
    harness.settings = harness.settings.model_copy(update={"clock": f"{start.isoformat()}@{origin.isoformat()}x{scale}"})
    async with harness.build().running() as service:
        for case in ("met", "unmet"):
            await harness.send_first_decision(case, service.clock.now(), facility_failure=True)
            await wait_for_events(service, case, "clock_started")
    await harness.send_action("met", "start_work", role="assistant")
    await harness.send_action("met", "submit_measures", role="supervisor", text="换件")
    assert service.clock.now() < midnight
    await wait_for(lambda: service.clock.now() > midnight + timedelta(hours=1))
    async with harness.build().running() as service:
        await wait_for_events(service, "unmet", "clock_breached")
        types = await wait_for_events(service, "met", "measures_submitted", "clock_stopped")
        assert "clock_breached" not in types[: types.index("clock_stopped")]
        breach = await first_body(service, "unmet", "clock_breached")
        figures = await deadline_figures(service)
        assert figures["met"] >= 1
        assert figures["breached"] >= 1
        assert sum(figures.values()) == await ended_deadlines(service)
    assert b'"late_by"' in breach
    assert b'"at":"2026-09-24T00:00:00+08:00"' in breach


async def test_two_processes_decide_each_record_once(harness: SlaHarness) -> None:
    async with harness.build().running() as service, harness.build().running():
        for number in range(40):
            await harness.send_first_decision(f"shared-{number}")
            await harness.send_action(f"shared-{number}", "answer")
        for number in range(40):
            types = await wait_for_events(service, f"shared-{number}", "first_answered")
            assert types.count("registered") == 1
            assert types.count("first_answered") == 1


async def test_department_receives_the_complaint_with_its_routing_and_the_event_that_reassigns_it(harness: SlaHarness) -> None:
    async with harness.build().running() as service, person_client(service) as http:
        await harness.send_first_decision("case-9")
        await wait_for_events(service, "case-9", "registered")
        for action, department in (("route", "repairs"), ("reassign", "gardens")):
            body = {"action": action, "role": "assistant", "data": {"department": department}}
            assert (await http.post("/v1/cases/case-9/actions", json=body)).status_code == 200
        repairs = await wait_for(lambda: department_events(harness, "repairs", 2), what="both events on the first department's topic")
        gardens = await wait_for(lambda: department_events(harness, "gardens", 1), what="the second department's event")
    assert [event["type"] for event in repairs] == ["routed", "reassigned"]
    assert repairs[0]["complaint"]["text"] == "三号楼电梯停运"
    assert "contact" not in repairs[0]["complaint"]
    assert gardens[0]["type"] == "reassigned"


async def department_events(harness: SlaHarness, department: str, minimum: int) -> list[dict[str, Any]]:
    consumer = AIOKafkaConsumer(
        f"{harness.settings.topic_prefix}department-{department}",
        bootstrap_servers=harness.settings.kafka_bootstrap_servers,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        events = [orjson.loads(record.value) for records in (await consumer.getmany(timeout_ms=2000)).values() for record in records]
    finally:
        await consumer.stop()
    return events if len(events) >= minimum else []


async def test_action_of_a_case_that_is_never_registered_is_deleted_after_90_days(harness: SlaHarness) -> None:
    async with harness.build().running() as service:
        await harness.send_action("never", "answer")
        await wait_for(lambda: deferred_inputs(service, "never"), what="the deferred action")
        assert await prune_unregistered(service.database, service.clock, timedelta(days=90)) == 0
        async with service.database.transaction() as tx:
            await tx.execute("UPDATE held SET at = now() - interval '91 days'")
        assert await prune_unregistered(service.database, service.clock, timedelta(days=90)) == 1
        assert await deferred_inputs(service, "never") == 0
