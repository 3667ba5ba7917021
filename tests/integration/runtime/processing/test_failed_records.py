"""Records that cannot be decoded, verified or applied become dead letters without harm to their neighbours."""

from shared.runtime.errors import Rejected
from shared.runtime.kafka.partitioner import partition_of
from shared.runtime.kafka.record import ReceivedRecord
from shared.runtime.process.settings import RuntimeSettings
from tests.integration.runtime.probe_service import (
    PARTITIONS,
    ProbeHandler,
    ProbeSender,
    build_service,
    case_on_partition,
    count_rows,
    dead_letter_reasons,
    note_body,
    note_headers,
    stored_notes,
    wait_for_notes,
)
from tests.support.waiting import wait_for


async def test_undecodable_records_become_dead_letters_without_harm_to_others(probe_settings: RuntimeSettings, sender: ProbeSender) -> None:
    """Null headers, headers that are not UTF-8, undecodable bodies, a missing key, a foreign partition: all in one batch."""
    key = b"case-1"
    elsewhere = (partition_of(key, PARTITIONS) + 1) % PARTITIONS
    for topic in ("case-actions", "triage-events"):
        await sender.send_note("case-1", f"before {topic}", topic)
        await sender.send(topic, key, note_body("x"), [(name, None if name == "ce_time" else value) for name, value in note_headers()])
        await sender.send(topic, key, note_body("odd headers"), [*note_headers(), ("a", None), ("b", b"\xff\xfe")])
        await sender.send(topic, key, b"\xff\x00", note_headers())
        await sender.send(topic, key, None, note_headers())
        await sender.send(topic, key, note_body("x", surplus=1), note_headers())
        await sender.send(topic, None, note_body("x"), note_headers(), partition=0)
        await sender.send(topic, key, note_body("x"), note_headers(), partition=elsewhere)
        await sender.send(topic, key, note_body("x"), note_headers(event_type="unheard_of"))
        await sender.send_note("case-1", f"after {topic}", topic)
    probe = ProbeHandler()
    async with build_service(probe_settings, probe).running() as service:

        async def all_in() -> bool:
            return await count_rows(service, "notes") == 6 and await count_rows(service, "dead_letter") == 14

        await wait_for(all_in)
        assert await count_rows(service, "parked") == 0
        assert sorted(await stored_notes(service)) == sorted(
            ["before case-actions", "odd headers", "after case-actions", "before triage-events", "odd headers", "after triage-events"]
        )
        assert [r for r in await dead_letter_reasons(service) if "partition" in r] == [
            f"the record is not on its key's partition (murmur2 of the key, {PARTITIONS} partitions)"
        ] * 2


async def test_a_record_that_postgresql_refuses_is_isolated_and_its_case_parked(
    probe_settings: RuntimeSettings, sender: ProbeSender
) -> None:
    failing_case, other_case = case_on_partition(3), case_on_partition(3, 1)
    for n in range(20):
        await sender.send_note(other_case, f"other {n}")
    await sender.send_note(failing_case, "first")
    await sender.send("case-actions", failing_case.encode(), b'{"text": "nul \\u0000 within"}', note_headers())
    await sender.send_note(failing_case, "behind")
    await sender.send_note(failing_case, "behind, other topic", "triage-events")
    await sender.send_note(other_case, "other, last")
    async with build_service(probe_settings, ProbeHandler()).running() as service:
        await wait_for_notes(service, [*(f"other {n}" for n in range(20)), "other, last"], other_case)
        await wait_for_notes(service, ["first"], failing_case)

        async def waiting() -> bool:
            return await count_rows(service, "waiting") == 2

        await wait_for(waiting)
        [reason] = await dead_letter_reasons(service)
        assert reason.startswith("CharacterNotInRepertoireError (SQLSTATE 22021)")


async def test_a_record_rejected_without_parking_does_not_park_its_case(probe_settings: RuntimeSettings, sender: ProbeSender) -> None:
    def raise_on(text: str) -> None:
        if text == "forged":
            raise Rejected("not for this role", park=False)

    event_id = "018f0000-0000-7000-8000-000000000001"
    await sender.send_note("case-1", "forged", event_id=event_id)
    await sender.send_note("case-1", "genuine", event_id=event_id)
    async with build_service(probe_settings, ProbeHandler(raise_on)).running() as service:
        await wait_for_notes(service, ["genuine"])  # the forged one has not claimed the id
        assert await dead_letter_reasons(service) == ["not for this role"]
        assert await count_rows(service, "parked") == 0


async def test_a_record_that_verify_rejects_neither_parks_a_case_nor_claims_an_id(
    probe_settings: RuntimeSettings, sender: ProbeSender
) -> None:
    def verify(received: ReceivedRecord) -> None:
        if "jiesu-signature" not in received.headers:
            raise Rejected("the signature is missing")

    event_id = "018f0000-0000-7000-8000-000000000001"
    await sender.send_note("case-1", "forged", event_id=event_id)
    await sender.send("case-actions", b"case-1", note_body("signed"), [*note_headers(event_id=event_id), ("jiesu-signature", b"x")])
    probe = ProbeHandler()
    async with build_service(probe_settings, probe, verify=verify).running() as service:
        await wait_for_notes(service, ["signed"])
        assert await dead_letter_reasons(service) == ["the signature is missing"]
        assert probe.batches == [["signed"]]
