"""Every trap of the way in, on the real broker and database."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from time import monotonic

import pytest

from shared.contracts import topics
from shared.runtime.database.database import Transaction
from shared.runtime.errors import Misconfigured, Rejected
from shared.runtime.kafka.partitioner import partition_of
from shared.runtime.kafka.record import ReceivedRecord
from shared.runtime.process.failures import is_infrastructure
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.service import Service
from tests.integration.runtime.conftest import read_topic
from tests.integration.runtime.probe import (
    INPUTS,
    PARTITIONS,
    ProbeHandler,
    ProbeSender,
    build_service,
    case_on_partition,
    count_rows,
    decode_note,
    note_body,
    note_headers,
    stored_notes,
)
from tests.support.waiting import wait_for


async def reasons(service: Service) -> list[str]:
    async with service.database.transaction() as tx:
        return [row["reason"] for row in await tx.fetch("SELECT reason FROM dead_letter ORDER BY id")]


async def until_notes(service: Service, expected: list[str], case: str | None = None) -> None:
    async def arrived() -> bool:
        return await stored_notes(service, case) == expected

    await wait_for(arrived, what=f"notes {expected}")


async def test_records_sent_before_the_group_existed_have_one_effect_and_one_message_each(
    applied: RuntimeSettings, sender: ProbeSender
) -> None:
    await sender.send_note("case-1", "one")
    await sender.send_note("case-1", "two")
    async with build_service(applied, ProbeHandler()).running() as service:
        await until_notes(service, ["one", "two"])

        async def sent() -> bool:
            return await count_rows(service, "outbox") == 0

        await wait_for(sent)
    told = await read_topic(applied, "case-events")
    assert [r.value for r in told] == [b'{"text":"one"}', b'{"text":"two"}']
    assert {r.partition for r in told} == {partition_of("case-1", PARTITIONS)}


async def test_an_id_that_comes_twice_has_one_effect(applied: RuntimeSettings, sender: ProbeSender) -> None:
    same = "018f0000-0000-7000-8000-000000000001"
    async with build_service(applied, ProbeHandler()).running() as service:
        await sender.send_note("case-1", "once", event=same)
        await sender.send_note("case-1", "once", event=same)
        await until_notes(service, ["once"])
        await sender.send_note("case-1", "once", event=same)
        await sender.send_note("case-1", "last")
        await until_notes(service, ["once", "last"])
        assert await count_rows(service, "inbox") == 2


async def test_an_id_spent_on_another_topic_is_not_taken(applied: RuntimeSettings, sender: ProbeSender) -> None:
    same = "018f0000-0000-7000-8000-000000000001"
    async with build_service(applied, ProbeHandler()).running() as service:
        await sender.send_note("case-1", "stranger", "case-actions", event=same)
        await until_notes(service, ["stranger"])
        await sender.send_note("case-1", "ours", "triage-events", event=same)
        await until_notes(service, ["stranger", "ours"])


async def test_of_many_records_two_partitions_do_not_wait_for_each_other(applied: RuntimeSettings, sender: ProbeSender) -> None:
    stuck, free = case_on_partition(2), case_on_partition(3)
    texts = [f"{n:03}" for n in range(applied.batch_size // 2)]
    await sender.send_note(stuck, "opened")
    async with build_service(applied, ProbeHandler()).running() as service:
        await until_notes(service, ["opened"], stuck)
    for text in texts:
        await asyncio.gather(sender.send_note(stuck, text), sender.send_note(free, text))
    async with build_service(applied, ProbeHandler()).running() as service:
        async with service.database.transaction() as tx:
            await tx.fetch("SELECT id FROM cases WHERE id = $1 FOR UPDATE", stuck)
            await until_notes(service, texts, free)
            assert await stored_notes(service, stuck) == ["opened"]
        await until_notes(service, ["opened", *texts], stuck)


async def test_unreadable_records_cost_no_neighbour(applied: RuntimeSettings, sender: ProbeSender) -> None:
    """Null headers, headers that are not UTF-8, undecodable bodies, a missing key, a foreign partition: all in one batch."""
    key = b"case-1"
    elsewhere = (partition_of(key, PARTITIONS) + 1) % PARTITIONS
    for topic in ("case-actions", "triage-events"):
        await sender.send_note("case-1", f"before {topic}", topic)
        await sender.send_raw(topic, key, note_body("x"), [*note_headers()[:2], ("ce_time", None)])
        await sender.send_raw(topic, key, note_body("odd headers"), [*note_headers(), ("a", None), ("b", b"\xff\xfe")])
        await sender.send_raw(topic, key, b"\xff\x00", note_headers())
        await sender.send_raw(topic, key, None, note_headers())
        await sender.send_raw(topic, key, note_body("x", surplus=1), note_headers())
        await sender.send_raw(topic, None, note_body("x"), note_headers(), partition=0)
        await sender.send_raw(topic, key, note_body("x"), note_headers(), partition=elsewhere)
        await sender.send_raw(topic, key, note_body("x"), note_headers(event_type="unheard_of"))
        await sender.send_note("case-1", f"after {topic}", topic)
    probe = ProbeHandler()
    async with build_service(applied, probe).running() as service:

        async def all_in() -> bool:
            return await count_rows(service, "notes") == 6 and await count_rows(service, "dead_letter") == 14

        await wait_for(all_in)
        assert await count_rows(service, "parked") == 0
        assert sorted(await stored_notes(service)) == sorted(
            ["before case-actions", "odd headers", "after case-actions", "before triage-events", "odd headers", "after triage-events"]
        )
        assert [r for r in await reasons(service) if "partition" in r] == [
            f"the record is not on its key's partition (murmur2 of the key, {PARTITIONS} partitions)"
        ] * 2


async def test_a_text_that_postgresql_refuses_is_found_and_its_case_parked_in_order(applied: RuntimeSettings, sender: ProbeSender) -> None:
    ill, well = case_on_partition(3), case_on_partition(3, 1)
    for n in range(20):
        await sender.send_note(well, f"well {n}")
    await sender.send_note(ill, "first")
    await sender.send_raw("case-actions", ill.encode(), b'{"text": "nul \\u0000 within"}', note_headers())
    await sender.send_note(ill, "behind")
    await sender.send_note(ill, "behind, too", "triage-events")
    await sender.send_note(well, "well at last")
    async with build_service(applied, ProbeHandler()).running() as service:
        await until_notes(service, [*(f"well {n}" for n in range(20)), "well at last"], well)
        await until_notes(service, ["first"], ill)

        async def waiting() -> bool:
            return await count_rows(service, "waiting") == 2

        await wait_for(waiting)
        [why] = await reasons(service)
        assert why.startswith("CharacterNotInRepertoireError (SQLSTATE 22021)")


async def test_a_rejected_record_that_must_not_park_leaves_its_case_alone(applied: RuntimeSettings, sender: ProbeSender) -> None:
    def fault(text: str) -> None:
        if text == "forged":
            raise Rejected("not for this role", park=False)

    same = "018f0000-0000-7000-8000-000000000001"
    await sender.send_note("case-1", "forged", event=same)
    await sender.send_note("case-1", "genuine", event=same)
    async with build_service(applied, ProbeHandler(fault)).running() as service:
        await until_notes(service, ["genuine"])  # the forged one has not spent the id
        assert await reasons(service) == ["not for this role"]
        assert await count_rows(service, "parked") == 0


async def test_what_verify_refuses_neither_parks_a_case_nor_spends_an_id(applied: RuntimeSettings, sender: ProbeSender) -> None:
    def verify(received: ReceivedRecord) -> None:
        if "jiesu-signature" not in received.headers:
            raise Rejected("the signature is missing")

    same = "018f0000-0000-7000-8000-000000000001"
    await sender.send_note("case-1", "forged", event=same)
    await sender.send_raw("case-actions", b"case-1", note_body("signed"), [*note_headers(event_id=same), ("jiesu-signature", b"x")])
    probe = ProbeHandler()
    async with build_service(applied, probe, verify=verify).running() as service:
        await until_notes(service, ["signed"])
        assert await reasons(service) == ["the signature is missing"]
        assert probe.batches == [["signed"]]


async def test_an_outage_is_waited_out_without_a_hot_loop_and_without_a_dead_letter(applied: RuntimeSettings, sender: ProbeSender) -> None:
    attempts: list[float] = []

    def fault(text: str) -> None:
        attempts.append(monotonic())
        if len(attempts) < 6:
            raise ConnectionResetError(text)

    async with build_service(applied, ProbeHandler(fault)).running() as service:
        await sender.send_note("case-1", "patience")
        await until_notes(service, ["patience"])
        assert len(attempts) == 6
        assert attempts[-1] - attempts[0] > 0.5
        assert await count_rows(service, "dead_letter") == 0


async def test_an_outage_longer_than_the_patience_is_red_skips_nothing_and_does_not_spin(
    applied: RuntimeSettings, sender: ProbeSender
) -> None:
    attempts = 0
    broken = True

    def fault(text: str) -> None:
        nonlocal attempts
        attempts += 1
        if broken:
            raise ConnectionResetError(text)

    hasty = applied.model_copy(update={"max_poll_interval_ms": 1000})
    async with build_service(hasty, ProbeHandler(fault)).running() as service:
        await sender.send_note("case-1", "kept")

        async def red() -> bool:
            return "database" in service.health.troubles() and attempts >= 12

        await wait_for(red)
        started = monotonic()
        seen = attempts
        await wait_for(lambda: attempts > seen + 4)
        assert (attempts - seen) / (monotonic() - started) < 30
        broken = False
        await until_notes(service, ["kept"])
        assert service.health.troubles() == {}


async def test_a_killed_backend_costs_nothing(applied: RuntimeSettings, sender: ProbeSender) -> None:
    killed = 0

    async def handle(tx: Transaction, batch: Sequence[ReceivedRecord]) -> None:
        nonlocal killed
        await ProbeHandler().handle(tx, batch)
        if killed < 4:
            killed += 1
            mine = await tx.fetchval("SELECT pg_backend_pid()")
            async with service.database.transaction() as other:
                await other.execute("SELECT pg_terminate_backend($1)", mine)

    service = Service("probe", applied, migrations="tests.integration.runtime.migrations")
    service.subscribe(INPUTS, "probe", handle, decode=decode_note)
    async with service.running():
        for n in range(5):
            await sender.send_note("case-1", str(n))
        await until_notes(service, ["0", "1", "2", "3", "4"])
        assert killed == 4
        assert await count_rows(service, "dead_letter") == 0


async def test_a_connection_lost_within_a_savepoint_is_an_outage_too(applied: RuntimeSettings) -> None:
    async with build_service(applied, ProbeHandler()).running() as service:

        async def lose() -> None:
            async with service.database.transaction() as tx, tx.savepoint():
                mine = await tx.fetchval("SELECT pg_backend_pid()")
                async with service.database.transaction() as other:
                    await other.execute("SELECT pg_terminate_backend($1)", mine)
                await tx.fetchval("SELECT 1")

        with pytest.raises(Exception) as raised:  # noqa: PT011 - whichever it is, it has to count as an outage
            await lose()
        assert is_infrastructure(raised.value)
        await service.database.ping()


async def test_a_topic_that_goes_bad_is_stopped_before_it_ends_as_dead_letters(applied: RuntimeSettings, sender: ProbeSender) -> None:
    bad, good = case_on_partition(5), case_on_partition(6)
    careful = applied.model_copy(update={"breaker_run": 10})
    for _ in range(60):
        await sender.send_raw("case-actions", bad.encode(), b"{}", note_headers())
    async with build_service(careful, ProbeHandler()).running() as service:
        await wait_for(lambda: "breaker" in service.health.troubles())
        await sender.send_note(good, "others go on")
        await until_notes(service, ["others go on"], good)
        assert await count_rows(service, "dead_letter") == 0
        assert "case-actions-5" in service.health.troubles()["breaker"]
    drained = applied.model_copy(update={"breaker_run": 0})
    async with build_service(drained, ProbeHandler()).running() as service:

        async def drained_all() -> bool:
            return await count_rows(service, "dead_letter") == 60

        await wait_for(drained_all, what="nothing was committed past the stopped place")


async def test_a_batch_keeps_each_cases_order_across_thousands_of_records(applied: RuntimeSettings, sender: ProbeSender) -> None:
    sent = [(f"case-{n % 37}", f"{n:05}") for n in range(3000)]
    await sender.send_notes("case-actions", sent)
    probe = ProbeHandler()
    async with build_service(applied, probe).running() as service:

        async def all_in() -> bool:
            return await count_rows(service, "notes") == 3000

        await wait_for(all_in)
        for n in range(37):
            mine = await stored_notes(service, f"case-{n}")
            assert all(a < b for a, b in pairwise(mine))
        assert max(map(len, probe.batches)) > 100


async def test_only_who_has_read_all_waits_for_more(applied: RuntimeSettings, sender: ProbeSender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.runtime.subscription.consumer._LINGER_SECONDS", 3600.0)
    wide = applied.model_copy(update={"batch_size": 10_000})
    await sender.send_notes("case-actions", [("case-1", f"{n:05}" + "x" * 1000) for n in range(1000)])  # several fetches of one partition
    probe = ProbeHandler()
    async with build_service(wide, probe).running() as service:

        async def all_in() -> bool:
            return await count_rows(service, "notes") == 1000

        await wait_for(all_in)
        assert len(probe.batches) > 3


async def test_compressed_records_are_read(applied: RuntimeSettings) -> None:
    from aiokafka import AIOKafkaProducer  # noqa: PLC0415

    for codec in ("gzip", "lz4", "snappy", "zstd"):
        producer = AIOKafkaProducer(bootstrap_servers=applied.kafka_bootstrap_servers, compression_type=codec)
        await producer.start()
        await producer.send_and_wait(f"{applied.topic_prefix}case-actions", note_body(codec * 50), key=b"case-1", headers=note_headers())
        await producer.stop()
    async with build_service(applied, ProbeHandler()).running() as service:
        await until_notes(service, [codec * 50 for codec in ("gzip", "lz4", "snappy", "zstd")])


async def test_two_owners_of_one_partition_apply_each_record_once(applied: RuntimeSettings, sender: ProbeSender) -> None:
    """While the first process still handles a batch the second one takes its partitions: what aiokafka does at a rebalance."""
    held = asyncio.Event()
    entered = asyncio.Event()

    async def slow(tx: Transaction, batch: Sequence[ReceivedRecord]) -> None:
        await ProbeHandler().handle(tx, batch)
        entered.set()
        await held.wait()

    first = Service("probe", applied, migrations="tests.integration.runtime.migrations")
    first.subscribe(INPUTS, "probe", slow, decode=decode_note)
    await sender.send_notes("case-actions", [(f"case-{n}", str(n)) for n in range(50)])
    async with first.running():
        await entered.wait()
        async with build_service(applied, ProbeHandler()).running() as second:
            await wait_for(lambda: second.watermark.owned_partitions() != [])  # the first was waited for, but not for ever
            held.set()

            async def all_in() -> bool:
                return await count_rows(second, "notes") == 50 and await count_rows(second, "outbox") == 0

            await wait_for(all_in)
    told = await read_topic(applied, "case-events")
    assert sorted(int(r.value.decode().split('"')[3]) for r in told) == list(range(50))


async def test_a_rebalance_waits_for_the_running_batch(applied: RuntimeSettings, sender: ProbeSender) -> None:
    """Without the listener the new owner would have read the same records again."""
    entered = asyncio.Event()

    async def slow(tx: Transaction, batch: Sequence[ReceivedRecord]) -> None:
        await ProbeHandler().handle(tx, batch)
        entered.set()
        await tx.execute("SELECT pg_sleep(1)")

    first = Service("probe", applied, migrations="tests.integration.runtime.migrations")
    first.subscribe(INPUTS, "probe", slow, decode=decode_note)
    await sender.send_notes("case-actions", [(f"case-{n}", str(n)) for n in range(50)])
    repeated = ProbeHandler()
    async with first.running():
        await entered.wait()
        async with build_service(applied, repeated).running() as second:
            await wait_for(lambda: second.watermark.owned_partitions() != [])

            async def caught_up() -> bool:
                await second.watermark.refresh(second.watermark.owned_partitions())
                return all(second.watermark.lag_by_topic.get(t.name) == 0 for t in INPUTS)

            await wait_for(caught_up)
            assert await count_rows(second, "notes") == 50
            assert repeated.batches == []
            assert len(set(first.watermark.owned_partitions()) | set(second.watermark.owned_partitions())) == PARTITIONS
            assert not set(first.watermark.owned_partitions()) & set(second.watermark.owned_partitions())


async def test_a_process_slower_than_the_poll_interval_loses_its_partitions_but_no_record(
    applied: RuntimeSettings, sender: ProbeSender
) -> None:
    frozen = applied.model_copy(update={"max_poll_interval_ms": 1500})
    calls = 0

    async def slow(tx: Transaction, batch: Sequence[ReceivedRecord]) -> None:
        nonlocal calls
        calls += 1
        await ProbeHandler().handle(tx, batch)
        if calls == 1:
            await tx.execute("SELECT pg_sleep(3)")

    service = Service("probe", frozen, migrations="tests.integration.runtime.migrations")
    service.subscribe(INPUTS, "probe", slow, decode=decode_note)
    revoked, forget = 0, service.watermark.on_revoked

    def counted() -> None:
        nonlocal revoked
        revoked += 1
        forget()

    service.watermark.on_revoked = counted  # type: ignore[method-assign]
    async with service.running():
        joined = revoked
        await sender.send_note("case-1", "slow")
        await until_notes(service, ["slow"])
        await sender.send_note("case-1", "again")
        await until_notes(service, ["slow", "again"])
        assert revoked > joined


async def test_a_service_has_one_subscriber(applied: RuntimeSettings) -> None:
    service = build_service(applied, ProbeHandler())
    with pytest.raises(Misconfigured, match="one subscriber"):
        service.subscribe([topics.CASE_EVENTS], "other", ProbeHandler().handle)
    await service.database.close()
