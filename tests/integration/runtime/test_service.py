"""A service from start to stop: health, metrics, order of the stop, restarted loops."""

import asyncio
from collections.abc import Sequence

import httpx
import orjson
from fastapi import APIRouter

from shared.runtime.database.database import Transaction
from shared.runtime.kafka.record import ReceivedRecord
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.service import Service
from tests.integration.runtime.probe_service import (
    INPUTS,
    OUTPUT,
    ProbeHandler,
    ProbeSender,
    build_service,
    count_rows,
    decode_note,
    stored_notes,
)
from tests.support.messaging.topic_client import read_records
from tests.support.waiting import wait_for


async def get(service: Service, path: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{service.http_port}") as client:
        return await client.get(path)


async def test_health_metrics_and_routes_of_the_service_are_served(probe_settings: RuntimeSettings) -> None:
    router = APIRouter()

    @router.get("/hello")
    async def hello() -> str:
        return "hello"

    service = build_service(probe_settings, ProbeHandler())
    service.include_router(router)
    async with service.running():
        await wait_for(lambda: service.health.troubles() == {})
        assert (await get(service, "/live")).json()["status"] == "ok"
        assert (await get(service, "/ready")).status_code == 200
        assert (await get(service, "/hello")).json() == "hello"
        text = (await get(service, "/metrics")).text
        assert "jiesu_batch_duration_seconds_bucket" in text
        assert "jiesu_outbox_messages" in text


async def test_a_process_with_a_dead_consumer_is_not_alive(probe_settings: RuntimeSettings) -> None:
    """FastStream's ping would succeed."""
    short_interval = probe_settings.model_copy(update={"max_poll_interval_ms": 1000})
    async with build_service(short_interval, ProbeHandler()).running() as service:
        assert (await get(service, "/live")).status_code == 200
        subscriber = service.subscription.subscriber
        assert subscriber is not None
        subscriber.running = False  # ends the poll loop only

        async def is_stalled() -> bool:
            answer = await get(service, "/live")
            return answer.status_code == 503 and "poll" in answer.json()["stalled"]

        await wait_for(is_stalled)


async def test_stop_finishes_the_batch_commits_it_and_drains_the_outbox(probe_settings: RuntimeSettings, sender: ProbeSender) -> None:
    entered = asyncio.Event()

    async def slow(tx: Transaction, batch: Sequence[ReceivedRecord]) -> None:
        entered.set()
        await tx.execute("SELECT pg_sleep(0.7)")
        await ProbeHandler().handle(tx, batch)

    service = Service("probe", probe_settings, migrations="tests.integration.runtime.migrations")
    service.subscribe(INPUTS, "probe", slow, decode=decode_note)
    await service.start()
    await sender.send_note("case-1", "running")
    await entered.wait()
    stopping = asyncio.create_task(service.stop())
    await wait_for(lambda: "stopping" in service.health.troubles())
    await stopping
    assert [r.value for r in await read_records(probe_settings, OUTPUT)] == [b'{"text":"running"}']
    second_handler = ProbeHandler()
    async with build_service(probe_settings, second_handler).running() as successor:
        await sender.send_note("case-1", "next")

        async def arrived() -> bool:
            return await stored_notes(successor) == ["running", "next"]

        await wait_for(arrived)
        assert second_handler.batches == [["next"]]  # the offsets were committed


async def test_a_failed_background_loop_is_restarted(probe_settings: RuntimeSettings) -> None:
    runs = 0

    async def loop(stop: asyncio.Event) -> None:
        nonlocal runs
        runs += 1
        if runs < 3:
            raise RuntimeError
        await stop.wait()

    service = build_service(probe_settings, ProbeHandler())
    service.add_background_loop("shaky", loop)
    async with service.running():
        await wait_for(lambda: runs == 3)
        assert "shaky" in service.health.troubles()
    assert runs == 3


async def test_processes_that_start_together_apply_each_record_once(probe_settings: RuntimeSettings, sender: ProbeSender) -> None:
    services = [build_service(probe_settings, ProbeHandler()) for _ in range(3)]
    await asyncio.gather(*(service.start() for service in services))
    texts = [f"{n:02}" for n in range(30)]
    await sender.send_notes("case-actions", [(f"case-{text}", text) for text in texts])

    async def arrived() -> bool:
        return len(await stored_notes(services[0])) >= len(texts) and await count_rows(services[0], "outbox") == 0

    await wait_for(arrived)
    await asyncio.gather(*(service.stop() for service in services))
    # Each event was written in the transaction that applied its record, and the stop sent all that were left.
    published = sorted(record.value for record in await read_records(probe_settings, OUTPUT))
    assert published == [orjson.dumps({"text": text}) for text in texts]


async def test_what_requests_use_lives_until_the_last_answer(probe_settings: RuntimeSettings) -> None:
    service = build_service(probe_settings, ProbeHandler())
    answered = asyncio.Event()
    at_cleanup: list[bool] = []

    async def clean_up() -> None:
        at_cleanup.append(answered.is_set())

    router, asked = APIRouter(), asyncio.Event()

    @router.get("/slow")
    async def slow() -> str:
        asked.set()
        await service.stopping.wait()
        assert at_cleanup == []
        answered.set()
        return "done"

    service.include_router(router)
    service.add_cleanup(clean_up)
    async with service.running():
        asking = asyncio.create_task(get(service, "/slow"))
        await asked.wait()
    assert ((await asking).json(), at_cleanup) == ("done", [True])
