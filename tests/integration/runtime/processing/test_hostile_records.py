"""Bad input stops no partition: it becomes dead letters, and its sender is set aside alone."""

from datetime import UTC, datetime, timedelta

from prometheus_client import REGISTRY

from shared.runtime.dead_letters import operations
from shared.runtime.errors import Rejected
from shared.runtime.kafka.record import ReceivedRecord
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.service import Service
from tests.integration.runtime.probe_service import (
    ProbeHandler,
    ProbeSender,
    build_service,
    case_on_partition,
    count_rows,
    note_body,
    note_headers,
    stored_notes,
    wait_for_notes,
)
from tests.support.waiting import wait_for

PARTITION = 5


def verify_signature(received: ReceivedRecord) -> str:
    """The signature of a probe is its sender's name."""
    if "jiesu-signature" not in received.headers:
        raise Rejected("the signature is missing")
    return received.headers["jiesu-signature"]


def signed_headers(signature: bytes = b"x") -> list[tuple[str, bytes]]:
    return [*note_headers(), ("jiesu-signature", signature)]


async def send_junk(sender: ProbeSender, case: str) -> None:
    """51 records that prove no one's identity: unsigned, undecodable, one byte."""
    for _ in range(17):
        await sender.send("case-actions", case.encode(), note_body("unsigned"), note_headers())
        await sender.send("case-actions", case.encode(), b"\xff\x00", signed_headers())
        await sender.send("case-actions", case.encode(), b"x", [])


async def wait_for_letters(service: Service, number: int) -> None:
    async def stored() -> bool:
        return await count_rows(service, "dead_letter") == number

    await wait_for(stored, what=f"{number} dead letters")


async def test_fifty_junk_records_stop_neither_partition_nor_timers_also_after_a_restart(
    probe_settings: RuntimeSettings, sender: ProbeSender
) -> None:
    case, later_case = case_on_partition(PARTITION), case_on_partition(PARTITION, 1)

    def service_with_timers() -> Service:
        probe = ProbeHandler()
        service = build_service(probe_settings, probe, verify=verify_signature)
        service.add_timers(lock_cases=probe.lock, fire_timers=probe.fire)
        return service

    async with service_with_timers().running() as service:
        await send_junk(sender, case)
        await wait_for_letters(service, 51)
        due = datetime.now(UTC) + timedelta(seconds=1)
        await sender.send("case-actions", case.encode(), note_body("armed", due=due.isoformat()), signed_headers())
        await wait_for_notes(service, ["armed", "fired"], case)
        assert await count_rows(service, "parked") == 0
        assert service.health.troubles() == {}
    await send_junk(sender, case)
    async with service_with_timers().running() as service:
        await wait_for_letters(service, 102)
        due = datetime.now(UTC) + timedelta(seconds=1)
        await sender.send("case-actions", later_case.encode(), note_body("armed", due=due.isoformat()), signed_headers())
        await wait_for_notes(service, ["armed", "fired"], later_case)


def raise_fault(text: str) -> None:
    if text.startswith("fault"):
        raise ZeroDivisionError
    if text == "bad":
        raise Rejected("no such action", park=False)


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0


async def test_bad_input_sets_its_sender_aside_alone_and_holds_the_cases_that_it_names(
    probe_settings: RuntimeSettings, sender: ProbeSender
) -> None:
    """Bad records of one sender on one case; then a good one of it on another case, whose timer is due, and one of another sender."""
    bad_case, held_case, other_case = (case_on_partition(PARTITION, number) for number in range(3))
    strict = probe_settings.model_copy(update={"bad_records_burst": 5, "bad_records_per_minute": 0.001})
    # The counters are those of the process: other tests have counted before.
    set_aside_before = counted("jiesu_set_aside_records_total", sender="feed")
    bad_before = counted("jiesu_bad_records_total", topic="case-actions", sender="feed")
    probe = ProbeHandler(raise_fault)
    service = build_service(strict, probe, verify=verify_signature)
    service.add_timers(lock_cases=probe.lock, fire_timers=probe.fire)
    async with service.running():
        due = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        await sender.send("case-actions", held_case.encode(), note_body("armed", due=due), signed_headers(b"feed"))
        await wait_for_notes(service, ["armed"], held_case)
        for _ in range(3):
            await sender.send("case-actions", bad_case.encode(), note_body("bad"), signed_headers(b"feed"))
            await sender.send("case-actions", bad_case.encode(), b"x", signed_headers(b"feed"))
        await wait_for_letters(service, 6)
        await sender.send("case-actions", held_case.encode(), note_body("met"), signed_headers(b"feed"))
        await sender.send("case-actions", held_case.encode(), note_body("behind"), signed_headers(b"other"))
        await sender.send("case-actions", other_case.encode(), note_body("other"), signed_headers(b"other"))
        await wait_for_notes(service, ["other"], other_case)
        assert await stored_notes(service, held_case) == ["armed"]
        assert (await count_rows(service, "parked"), await count_rows(service, "waiting")) == (1, 1)
        assert counted("jiesu_set_aside_records_total", sender="feed") == set_aside_before + 1
        assert counted("jiesu_bad_records_total", topic="case-actions", sender="feed") == bad_before + 6
        async with service.database.transaction() as tx:
            letter = await tx.fetchval("SELECT dead_letter_id FROM parked WHERE key = $1", held_case)
            await operations.request_settlement(tx, letter)
        await wait_for_notes(service, ["armed", "met", "behind"], held_case)


async def test_the_same_fault_parks_twenty_cases_and_then_stops_reading(probe_settings: RuntimeSettings, sender: ProbeSender) -> None:
    async with build_service(probe_settings, ProbeHandler(raise_fault)).running() as service:
        for number in range(20):
            await sender.send_note(case_on_partition(PARTITION, number), f"fault {number}")

        async def twenty_parked() -> bool:
            return await count_rows(service, "parked") == 20

        await wait_for(twenty_parked)
        await sender.send_note(case_on_partition(PARTITION, 30), "good")
        await wait_for_notes(service, ["good"])
        assert service.health.troubles() == {}
        await sender.send_note(case_on_partition(PARTITION, 31), "fault 21")
        await wait_for(lambda: "breaker" in service.health.troubles())
        assert "ZeroDivisionError at test_hostile_records.py" in service.health.troubles()["breaker"]
        await sender.send_note(case_on_partition(PARTITION, 32), "unread")
        assert await count_rows(service, "parked") == 20
    async with build_service(probe_settings, ProbeHandler()).running() as corrected:
        await wait_for_notes(corrected, ["good", "fault 21", "unread"])
