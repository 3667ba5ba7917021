"""Every trap of the way in, on the real broker and database."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from time import monotonic

import pytest

from shared.contracts import topics
from shared.runtime.database.database import Transaction
from shared.runtime.errors import Misconfigured, Rejected
from shared.runtime.kafka.record import Received, partition_of
from shared.runtime.process.failures import is_infrastructure
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.service import Service
from tests.integration.runtime.conftest import read_all
from tests.integration.runtime.probe import INPUTS, PARTITIONS, Probe, Sender, body, build, case_on, count, decode, headers, notes
from tests.support.waiting import wait_for


async def reasons(service: Service) -> list[str]:
    async with service.database.transaction() as tx:
        return [row["reason"] for row in await tx.fetch("SELECT reason FROM dead_letter ORDER BY id")]


async def until_notes(service: Service, expected: list[str], case: str | None = None) -> None:
    async def arrived() -> bool:
        return await notes(service, case) == expected

    await wait_for(arrived, what=f"notes {expected}")


async def test_records_sent_before_the_group_existed_have_one_effect_and_one_message_each(applied: RuntimeSettings, sender: Sender) -> None:
    await sender.note("case-1", "one")
    await sender.note("case-1", "two")
    async with build(applied, Probe()).running() as service:
        await until_notes(service, ["one", "two"])

        async def sent() -> bool:
            return await count(service, "outbox") == 0

        await wait_for(sent)
    told = await read_all(applied, "case-events")
    assert [r.value for r in told] == [b'{"text":"one"}', b'{"text":"two"}']
    assert {r.partition for r in told} == {partition_of("case-1", PARTITIONS)}


async def test_an_id_that_comes_twice_has_one_effect(applied: RuntimeSettings, sender: Sender) -> None:
    same = "018f0000-0000-7000-8000-000000000001"
    async with build(applied, Probe()).running() as service:
        await sender.note("case-1", "once", event=same)
        await sender.note("case-1", "once", event=same)
        await until_notes(service, ["once"])
        await sender.note("case-1", "once", event=same)
        await sender.note("case-1", "last")
        await until_notes(service, ["once", "last"])
        assert await count(service, "inbox") == 2


async def test_an_id_spent_on_another_topic_is_not_taken(applied: RuntimeSettings, sender: Sender) -> None:
    same = "018f0000-0000-7000-8000-000000000001"
    async with build(applied, Probe()).running() as service:
        await sender.note("case-1", "stranger", "case-actions", event=same)
        await until_notes(service, ["stranger"])
        await sender.note("case-1", "ours", "triage-events", event=same)
        await until_notes(service, ["stranger", "ours"])


async def test_of_many_records_two_partitions_do_not_wait_for_each_other(applied: RuntimeSettings, sender: Sender) -> None:
    stuck, free = case_on(2), case_on(3)
    texts = [f"{n:03}" for n in range(applied.batch_size // 2)]
    await sender.note(stuck, "opened")
    async with build(applied, Probe()).running() as service:
        await until_notes(service, ["opened"], stuck)
    for text in texts:
        await asyncio.gather(sender.note(stuck, text), sender.note(free, text))
    async with build(applied, Probe()).running() as service:
        async with service.database.transaction() as tx:
            await tx.fetch("SELECT id FROM cases WHERE id = $1 FOR UPDATE", stuck)
            await until_notes(service, texts, free)
            assert await notes(service, stuck) == ["opened"]
        await until_notes(service, ["opened", *texts], stuck)


async def test_unreadable_records_cost_no_neighbour(applied: RuntimeSettings, sender: Sender) -> None:
    """Null headers, headers that are not UTF-8, undecodable bodies, a missing key, a foreign partition: all in one batch."""
    key = b"case-1"
    elsewhere = (partition_of(key, PARTITIONS) + 1) % PARTITIONS
    for topic in ("case-actions", "triage-events"):
        await sender.note("case-1", f"before {topic}", topic)
        await sender.raw(topic, key, body("x"), [*headers()[:2], ("ce_time", None)])
        await sender.raw(topic, key, body("odd headers"), [*headers(), ("a", None), ("b", b"\xff\xfe")])
        await sender.raw(topic, key, b"\xff\x00", headers())
        await sender.raw(topic, key, None, headers())
        await sender.raw(topic, key, body("x", surplus=1), headers())
        await sender.raw(topic, None, body("x"), headers(), partition=0)
        await sender.raw(topic, key, body("x"), headers(), partition=elsewhere)
        await sender.raw(topic, key, body("x"), headers(kind="unheard_of"))
        await sender.note("case-1", f"after {topic}", topic)
    probe = Probe()
    async with build(applied, probe).running() as service:

        async def all_in() -> bool:
            return await count(service, "notes") == 6 and await count(service, "dead_letter") == 14

        await wait_for(all_in)
        assert await count(service, "parked") == 0
        assert sorted(await notes(service)) == sorted(
            ["before case-actions", "odd headers", "after case-actions", "before triage-events", "odd headers", "after triage-events"]
        )
        assert [r for r in await reasons(service) if "partition" in r] == [
            f"the record is not on its key's partition (murmur2 of the key, {PARTITIONS} partitions)"
        ] * 2


async def test_a_text_that_postgresql_refuses_is_found_and_its_case_parked_in_order(applied: RuntimeSettings, sender: Sender) -> None:
    ill, well = case_on(3), case_on(3, 1)
    for n in range(20):
        await sender.note(well, f"well {n}")
    await sender.note(ill, "first")
    await sender.raw("case-actions", ill.encode(), b'{"text": "nul \\u0000 within"}', headers())
    await sender.note(ill, "behind")
    await sender.note(ill, "behind, too", "triage-events")
    await sender.note(well, "well at last")
    async with build(applied, Probe()).running() as service:
        await until_notes(service, [*(f"well {n}" for n in range(20)), "well at last"], well)
        await until_notes(service, ["first"], ill)

        async def waiting() -> bool:
            return await count(service, "waiting") == 2

        await wait_for(waiting)
        [why] = await reasons(service)
        assert why.startswith("CharacterNotInRepertoireError (SQLSTATE 22021)")


async def test_a_rejected_record_that_must_not_park_leaves_its_case_alone(applied: RuntimeSettings, sender: Sender) -> None:
    def fault(text: str) -> None:
        if text == "forged":
            raise Rejected("not for this role", park=False)

    same = "018f0000-0000-7000-8000-000000000001"
    await sender.note("case-1", "forged", event=same)
    await sender.note("case-1", "genuine", event=same)
    async with build(applied, Probe(fault)).running() as service:
        await until_notes(service, ["genuine"])  # the forged one has not spent the id
        assert await reasons(service) == ["not for this role"]
        assert await count(service, "parked") == 0


async def test_what_verify_refuses_neither_parks_a_case_nor_spends_an_id(applied: RuntimeSettings, sender: Sender) -> None:
    def verify(received: Received) -> None:
        if "jiesu-signature" not in received.headers:
            raise Rejected("the signature is missing")

    same = "018f0000-0000-7000-8000-000000000001"
    await sender.note("case-1", "forged", event=same)
    await sender.raw("case-actions", b"case-1", body("signed"), [*headers(event=same), ("jiesu-signature", b"x")])
    probe = Probe()
    async with build(applied, probe, verify=verify).running() as service:
        await until_notes(service, ["signed"])
        assert await reasons(service) == ["the signature is missing"]
        assert probe.seen == [["signed"]]


async def test_an_outage_is_waited_out_without_a_hot_loop_and_without_a_dead_letter(applied: RuntimeSettings, sender: Sender) -> None:
    attempts: list[float] = []

    def fault(text: str) -> None:
        attempts.append(monotonic())
        if len(attempts) < 6:
            raise ConnectionResetError(text)

    async with build(applied, Probe(fault)).running() as service:
        await sender.note("case-1", "patience")
        await until_notes(service, ["patience"])
        assert len(attempts) == 6
        assert attempts[-1] - attempts[0] > 0.5
        assert await count(service, "dead_letter") == 0


async def test_an_outage_longer_than_the_patience_is_red_skips_nothing_and_does_not_spin(applied: RuntimeSettings, sender: Sender) -> None:
    attempts = 0
    broken = True

    def fault(text: str) -> None:
        nonlocal attempts
        attempts += 1
        if broken:
            raise ConnectionResetError(text)

    hasty = applied.model_copy(update={"max_poll_interval_ms": 1000})
    async with build(hasty, Probe(fault)).running() as service:
        await sender.note("case-1", "kept")

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


async def test_a_killed_backend_costs_nothing(applied: RuntimeSettings, sender: Sender) -> None:
    killed = 0

    async def handle(tx: Transaction, batch: Sequence[Received]) -> None:
        nonlocal killed
        await Probe().handle(tx, batch)
        if killed < 4:
            killed += 1
            mine = await tx.fetchval("SELECT pg_backend_pid()")
            async with service.database.transaction() as other:
                await other.execute("SELECT pg_terminate_backend($1)", mine)

    service = Service("probe", applied, migrations="tests.integration.runtime.migrations")
    service.subscribe(INPUTS, "probe", handle, decode=decode)
    async with service.running():
        for n in range(5):
            await sender.note("case-1", str(n))
        await until_notes(service, ["0", "1", "2", "3", "4"])
        assert killed == 4
        assert await count(service, "dead_letter") == 0


async def test_a_connection_lost_within_a_savepoint_is_an_outage_too(applied: RuntimeSettings) -> None:
    async with build(applied, Probe()).running() as service:

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


async def test_a_topic_that_goes_bad_is_stopped_before_it_ends_as_dead_letters(applied: RuntimeSettings, sender: Sender) -> None:
    bad, good = case_on(5), case_on(6)
    careful = applied.model_copy(update={"breaker_run": 10})
    for _ in range(60):
        await sender.raw("case-actions", bad.encode(), b"{}", headers())
    async with build(careful, Probe()).running() as service:
        await wait_for(lambda: "breaker" in service.health.troubles())
        await sender.note(good, "others go on")
        await until_notes(service, ["others go on"], good)
        assert await count(service, "dead_letter") == 0
        assert "case-actions-5" in service.health.troubles()["breaker"]
    drained = applied.model_copy(update={"breaker_run": 0})
    async with build(drained, Probe()).running() as service:

        async def drained_all() -> bool:
            return await count(service, "dead_letter") == 60

        await wait_for(drained_all, what="nothing was committed past the stopped place")


async def test_a_batch_keeps_each_cases_order_across_thousands_of_records(applied: RuntimeSettings, sender: Sender) -> None:
    sent = [(f"case-{n % 37}", f"{n:05}") for n in range(3000)]
    await sender.many("case-actions", sent)
    probe = Probe()
    async with build(applied, probe).running() as service:

        async def all_in() -> bool:
            return await count(service, "notes") == 3000

        await wait_for(all_in)
        for n in range(37):
            mine = await notes(service, f"case-{n}")
            assert all(a < b for a, b in pairwise(mine))
        assert max(map(len, probe.seen)) > 100


async def test_only_who_has_read_all_waits_for_more(applied: RuntimeSettings, sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.runtime.subscription.consumer._LINGER", 3600.0)
    wide = applied.model_copy(update={"batch_size": 10_000})
    await sender.many("case-actions", [("case-1", f"{n:05}" + "x" * 1000) for n in range(1000)])  # several fetches of one partition
    probe = Probe()
    async with build(wide, probe).running() as service:

        async def all_in() -> bool:
            return await count(service, "notes") == 1000

        await wait_for(all_in)
        assert len(probe.seen) > 3


async def test_compressed_records_are_read(applied: RuntimeSettings) -> None:
    from aiokafka import AIOKafkaProducer  # noqa: PLC0415

    for codec in ("gzip", "lz4", "snappy", "zstd"):
        producer = AIOKafkaProducer(bootstrap_servers=applied.kafka_bootstrap_servers, compression_type=codec)
        await producer.start()
        await producer.send_and_wait(f"{applied.topic_prefix}case-actions", body(codec * 50), key=b"case-1", headers=headers())
        await producer.stop()
    async with build(applied, Probe()).running() as service:
        await until_notes(service, [codec * 50 for codec in ("gzip", "lz4", "snappy", "zstd")])


async def test_two_owners_of_one_partition_apply_each_record_once(applied: RuntimeSettings, sender: Sender) -> None:
    """While the first process still handles a batch the second one takes its partitions: what aiokafka does at a rebalance."""
    held = asyncio.Event()
    entered = asyncio.Event()

    async def slow(tx: Transaction, batch: Sequence[Received]) -> None:
        await Probe().handle(tx, batch)
        entered.set()
        await held.wait()

    first = Service("probe", applied, migrations="tests.integration.runtime.migrations")
    first.subscribe(INPUTS, "probe", slow, decode=decode)
    await sender.many("case-actions", [(f"case-{n}", str(n)) for n in range(50)])
    async with first.running():
        await entered.wait()
        async with build(applied, Probe()).running() as second:
            await wait_for(lambda: second.watermark.held() != [])  # the first was waited for, but not for ever
            held.set()

            async def all_in() -> bool:
                return await count(second, "notes") == 50 and await count(second, "outbox") == 0

            await wait_for(all_in)
    told = await read_all(applied, "case-events")
    assert sorted(int(r.value.decode().split('"')[3]) for r in told) == list(range(50))


async def test_a_rebalance_waits_for_the_running_batch(applied: RuntimeSettings, sender: Sender) -> None:
    """Without the listener the new owner would have read the same records again."""
    entered = asyncio.Event()

    async def slow(tx: Transaction, batch: Sequence[Received]) -> None:
        await Probe().handle(tx, batch)
        entered.set()
        await tx.execute("SELECT pg_sleep(1)")

    first = Service("probe", applied, migrations="tests.integration.runtime.migrations")
    first.subscribe(INPUTS, "probe", slow, decode=decode)
    await sender.many("case-actions", [(f"case-{n}", str(n)) for n in range(50)])
    repeated = Probe()
    async with first.running():
        await entered.wait()
        async with build(applied, repeated).running() as second:
            await wait_for(lambda: second.watermark.held() != [])

            async def caught_up() -> bool:
                await second.watermark.refresh(second.watermark.held())
                return all(second.watermark.lags.get(t.name) == 0 for t in INPUTS)

            await wait_for(caught_up)
            assert await count(second, "notes") == 50
            assert repeated.seen == []
            assert len(set(first.watermark.held()) | set(second.watermark.held())) == PARTITIONS
            assert not set(first.watermark.held()) & set(second.watermark.held())


async def test_a_process_slower_than_the_poll_interval_loses_its_partitions_but_no_record(applied: RuntimeSettings, sender: Sender) -> None:
    frozen = applied.model_copy(update={"max_poll_interval_ms": 1500})
    calls = 0

    async def slow(tx: Transaction, batch: Sequence[Received]) -> None:
        nonlocal calls
        calls += 1
        await Probe().handle(tx, batch)
        if calls == 1:
            await tx.execute("SELECT pg_sleep(3)")

    service = Service("probe", frozen, migrations="tests.integration.runtime.migrations")
    service.subscribe(INPUTS, "probe", slow, decode=decode)
    revoked, forget = 0, service.watermark.revoked

    def counted() -> None:
        nonlocal revoked
        revoked += 1
        forget()

    service.watermark.revoked = counted  # type: ignore[method-assign]
    async with service.running():
        joined = revoked
        await sender.note("case-1", "slow")
        await until_notes(service, ["slow"])
        await sender.note("case-1", "again")
        await until_notes(service, ["slow", "again"])
        assert revoked > joined


async def test_a_service_has_one_subscriber(applied: RuntimeSettings) -> None:
    service = build(applied, Probe())
    with pytest.raises(Misconfigured, match="one subscriber"):
        service.subscribe([topics.CASE_EVENTS], "other", Probe().handle)
    await service.database.close()
