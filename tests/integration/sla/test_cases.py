"""sla on the real servers: cases open, actions change them, what is due happens once and never wrongly."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer

from shared.runtime.service import Service
from tests.integration.sla.harness import OTHER_DEPARTMENT_TOKEN, SlaHarness, event_types, person_client
from tests.support.waiting import wait_for


async def until(service: Service, case: str, *expected: str) -> list[str]:
    async def there() -> list[str]:
        found = await event_types(service, case)
        return found if all(name in found for name in expected) else []

    return await wait_for(there, what=f"{expected} on {case}")


async def test_a_case_opens_and_a_signed_action_changes_it(office: SlaHarness) -> None:
    async with office.build().running() as service:
        await office.send_first_decision("case-1", facility_failure=True)
        await office.send_action("case-1", "answer", text="已派人")
        found = await until(service, "case-1", "first_answered")
        assert found[0] == "registered"
        assert found.count("registered") == 1


async def test_an_action_waits_for_its_case(office: SlaHarness) -> None:
    async with office.build().running() as service:
        await office.send_action("case-2", "answer")
        await wait_for(lambda: held(service, "case-2"), what="the action to wait")
        await office.send_first_decision("case-2")
        found = await until(service, "case-2", "first_answered")
        assert found.index("registered") < found.index("first_answered")


async def held(service: Service, case: str) -> bool:
    async with service.database.transaction() as tx:
        return bool(await tx.fetchval("SELECT count(*) FROM held WHERE case_id = $1", case))


async def test_a_forged_action_is_a_dead_letter_and_parks_nothing(office: SlaHarness) -> None:
    async with office.build().running() as service:
        await office.send_first_decision("case-3")
        await until(service, "case-3", "registered")
        await office.send_action("case-3", "close", forged=True)
        await office.send_action("case-3", "answer")
        found = await until(service, "case-3", "first_answered")
        assert "closed" not in found
        async with service.database.transaction() as tx:
            reasons = [row["reason"] for row in await tx.fetch("SELECT reason FROM dead_letter")]
        assert len(reasons) == 1
        assert "invalid signature" in reasons[0]


async def test_a_role_that_the_signer_does_not_hold_is_refused(office: SlaHarness) -> None:
    async with office.build().running() as service:
        await office.send_action("case-4", "answer", role="management")  # before the case is known: judged once it is
        await office.send_first_decision("case-4")
        await office.send_action("case-4", "answer", role="management")
        await office.send_action("case-4", "answer", role="assistant")
        found = await until(service, "case-4", "first_answered")
        assert found.count("action_refused") == 2
        async with service.database.transaction() as tx:
            body = await tx.fetchval("SELECT body FROM ledger WHERE case_id = 'case-4' AND type = 'action_refused' LIMIT 1")
            assert b"does not hold management" in body
            assert await tx.fetchval("SELECT count(*) FROM dead_letter") == 0


async def test_no_false_breach(office: SlaHarness) -> None:
    """sla is down over a due instant; the action that meets it waits in Kafka, the other case is met by nobody."""
    # The day ends three seconds from now, by a received instant that lies so far before a midnight of the calendar's zone.
    scale = 3600.0
    origin = datetime.now(UTC)
    midnight = datetime.fromisoformat("2026-09-24T00:00:00+08:00")
    start = midnight - timedelta(seconds=4 * scale)
    office.settings = office.settings.model_copy(update={"clock": f"{start.isoformat()}@{origin.isoformat()}x{scale}"})
    async with office.build().running() as service:
        for case in ("met", "unmet"):
            await office.send_first_decision(case, service.clock.now(), facility_failure=True)
            await until(service, case, "clock_started")
    await office.send_action("met", "start_work", role="assistant")
    await office.send_action("met", "submit_measures", role="supervisor", text="换件")
    assert service.clock.now() < midnight
    await wait_for(lambda: service.clock.now() > midnight + timedelta(hours=1))
    async with office.build().running() as service:
        await until(service, "unmet", "clock_breached")
        found = await until(service, "met", "measures_submitted", "clock_stopped")
        assert "clock_breached" not in found[: found.index("clock_stopped")]
        async with service.database.transaction() as tx:
            body = await tx.fetchval(
                "SELECT body FROM ledger WHERE case_id = 'unmet' AND type = 'clock_breached' ORDER BY sequence LIMIT 1"
            )
        assert b'"late_by"' in body
        assert b'"at":"2026-09-24T00:00:00+08:00"' in body


async def test_an_action_by_http_is_decided_at_once(office: SlaHarness) -> None:
    async with office.build().running() as service, person_client(service) as http:
        await office.send_first_decision("case-5")
        await until(service, "case-5", "registered")
        done = await http.post("/v1/cases/case-5/actions", json={"action": "answer", "role": "assistant"}, headers={"Idempotency-Key": "1"})
        again = await http.post(
            "/v1/cases/case-5/actions", json={"action": "answer", "role": "assistant"}, headers={"Idempotency-Key": "1"}
        )
        assert done.status_code == 200
        assert done.json()["events"][0]["event"] == "first_answered"
        assert again.json()["repeated"] is True
        assert (await event_types(service, "case-5")).count("first_answered") == 1
        refused = await http.post("/v1/cases/case-5/actions", json={"action": "close", "role": "supervisor"})
        assert refused.status_code == 409
        assert refused.json()["clause"] == "3.8"


async def test_wrong_input_by_http_names_what_is_wrong(office: SlaHarness) -> None:
    async with office.build().running() as service, person_client(service) as http:
        await office.send_first_decision("case-6")
        await until(service, "case-6", "registered")
        url = "/v1/cases/case-6/actions"
        misspelt = await http.post(url, json={"action": "answer", "role": "assistant", "data": {"txt": "x"}})
        assert misspelt.status_code == 422
        assert "txt" in misspelt.json()["detail"]
        assert (await http.post(url, json={"action": "answer", "role": "management"})).status_code == 403
        assert (await http.post(url, json={"action": "shout", "role": "assistant"})).status_code == 422
        assert (await http.post(url, json={"action": "answer"})).status_code == 422
        assert (await http.post("/v1/cases/nobody/actions", json={"action": "answer", "role": "assistant"})).status_code == 404
        assert (await http.post(url, json={"action": "answer"}, headers={"Authorization": "Bearer wrong"})).status_code == 401
        assert (await http.get("/v1/cases/case-6", headers={"Authorization": ""})).status_code == 401


async def test_a_case_shows_its_events_and_why_a_deadline_falls_where_it_falls(office: SlaHarness) -> None:
    async with office.build().running() as service, person_client(service) as http:
        await office.send_first_decision("case-7", facility_failure=True)
        await until(service, "case-7", "clock_started")
        shown = (await http.get("/v1/cases/case-7")).json()
        assert shown["status"] == "open"
        assert shown["events"][0]["event"] == "registered"
        assert "contact" not in shown["events"][0]["complaint"]
        why = (await http.get("/v1/cases/case-7/clocks/3.5.1")).json()
        assert why["rounds"][0]["dues"][0]["due"] == why["rounds"][0]["due_at"]
        assert (await http.get("/v1/cases/case-7/clocks/none")).status_code == 404


async def test_a_department_sees_its_cases_alone(office: SlaHarness) -> None:
    async with (
        office.build().running() as service,
        person_client(service) as http,
        person_client(service, OTHER_DEPARTMENT_TOKEN) as outsider,
    ):
        await office.send_first_decision("case-8")
        await until(service, "case-8", "registered")
        routed = await http.post(
            "/v1/cases/case-8/actions", json={"action": "route", "role": "assistant", "data": {"department": "repairs"}}
        )
        assert routed.status_code == 200
        assert (await http.get("/v1/cases/case-8")).status_code == 200
        assert (await outsider.get("/v1/cases/case-8")).status_code == 404


async def test_two_processes_decide_every_case_once(office: SlaHarness) -> None:
    async with office.build().running() as one, office.build().running():
        for number in range(40):
            await office.send_first_decision(f"shared-{number}")
            await office.send_action(f"shared-{number}", "answer")
        for number in range(40):
            found = await until(one, f"shared-{number}", "first_answered")
            assert found.count("registered") == 1
            assert found.count("first_answered") == 1


async def test_a_department_hears_what_the_case_is_about_and_that_it_went_elsewhere(office: SlaHarness) -> None:
    async with office.build().running() as service, person_client(service) as http:
        await office.send_first_decision("case-9")
        await until(service, "case-9", "registered")
        for action, department in (("route", "repairs"), ("reassign", "gardens")):
            body = {"action": action, "role": "assistant", "data": {"department": department}}
            assert (await http.post("/v1/cases/case-9/actions", json=body)).status_code == 200
        repairs = await wait_for(lambda: heard(office, "repairs", 2), what="both events on the first department's topic")
        assert [event["type"] for event in repairs] == ["routed", "reassigned"]
        assert repairs[0]["complaint"]["text"] == "三号楼电梯停运"
        assert "contact" not in repairs[0]["complaint"]
        assert (await wait_for(lambda: heard(office, "gardens", 1), what="the second department's event"))[0]["type"] == "reassigned"


async def heard(office: SlaHarness, department: str, least: int) -> list[dict[str, Any]]:
    consumer = AIOKafkaConsumer(
        f"{office.settings.topic_prefix}department-{department}",
        bootstrap_servers=office.settings.kafka_bootstrap_servers,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        found = [orjson.loads(record.value) for records in (await consumer.getmany(timeout_ms=2000)).values() for record in records]
    finally:
        await consumer.stop()
    return found if len(found) >= least else []
