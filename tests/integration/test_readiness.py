"""Probes while real servers stop and start: without the broker requests are served, without the database they are not."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.embedded import EmbeddedServers
from shared.contracts import topics
from shared.runtime.database import measuring
from shared.runtime.process import supervision
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.service import Service
from shared.runtime.subscription import subscription
from tests.support.messaging.all_services import PERSON_TOKEN, apply_all_topics, build_services, http_client, running, write_estate
from tests.support.messaging.sample_organisation import submission_body
from tests.support.messaging.settings import SettingsFactory
from tests.support.messaging.topic_client import open_topic_client
from tests.support.servers.databases import Databases
from tests.support.waiting import wait_for


@pytest.fixture(autouse=True)
def _short_periods(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the loops that watch broker and database; by themselves they take five times as long."""
    monkeypatch.setattr(subscription, "_LAG_PERIOD_SECONDS", 0.5)
    monkeypatch.setattr(measuring, "_WATCH_SECONDS", 0.5)
    monkeypatch.setattr(supervision, "_HEALTHY_AFTER_SECONDS", 1.0)


@pytest.fixture
async def own(own_servers: Callable[..., EmbeddedServers]) -> tuple[EmbeddedServers, SettingsFactory]:
    servers = await asyncio.to_thread(own_servers)
    database = await Databases(servers.database_url).create_migrated()
    return servers, SettingsFactory(servers.bootstrap_servers, database, "probes-")


async def probe(service: Service, path: str) -> tuple[int, dict[str, Any]]:
    async with http_client(service) as client:
        answer = await client.get(path)
    return answer.status_code, answer.json()


async def reasons_of(service: Service, path: str = "/ready") -> dict[str, dict[str, Any]]:
    _, answer = await probe(service, path)
    return {reason["component"]: reason for reason in answer["reasons"]}


async def wait_for_state(service: Service, state: str) -> dict[str, Any]:
    async def has_state() -> dict[str, Any]:
        _, answer = await probe(service, "/ready")
        return answer if answer["state"] == state else {}

    return await wait_for(has_state, deadline=30, what=f"{service.name} {state}")


async def submit(service: Service) -> httpx.Response:
    async with http_client(service) as client:
        return await client.post("/v1/complaints", json=submission_body())


async def published(settings: SettingsFactory) -> set[str]:
    async with open_topic_client(settings(RuntimeSettings)) as client:
        return {key for _, key, _ in await client.read_events(topics.COMPLAINT_EVENTS)}


async def test_services_serve_without_the_broker_and_are_not_ready_without_the_database(
    own: tuple[EmbeddedServers, SettingsFactory], tmp_path: Path
) -> None:
    servers, settings = own
    assert servers.kafka
    assert servers.postgres
    await apply_all_topics(settings(RuntimeSettings))
    organisation = write_estate(tmp_path)
    async with running(build_services(settings, organisation)) as services:
        for service in services.values():
            answer = await wait_for_state(service, "ready")
            assert (answer["status"], answer["reasons"]) == ("ok", [])
            assert (await probe(service, "/startup"))[1] == {"status": "ok", "state": "started", "reasons": []}
        first = (await submit(services["intake"])).json()["case"]
        await wait_for(lambda: is_known(services["sla"], first), what="the case in sla")

        await asyncio.to_thread(servers.kafka.kill)
        accepted = [first, await check_served_without_broker(services, first)]
        accepted.append(await check_intake_starts_without_broker(settings, organisation))
        await asyncio.to_thread(servers.kafka.start)
        for service in services.values():
            await wait_for_state(service, "ready")
        for case in accepted:
            await wait_for(lambda case=case: is_known(services["sla"], case), what="what was taken without the broker")  # type: ignore[misc]
        assert await published(settings) == set(accepted)

        await asyncio.to_thread(servers.postgres.kill)
        await check_not_ready_without_database(services)
        await asyncio.to_thread(servers.postgres.start)
        await wait_for_state(services["intake"], "ready")
        assert (await submit(services["intake"])).status_code == 202


async def is_known(sla: Service, case: str) -> bool:
    async with http_client(sla, PERSON_TOKEN) as client:
        return (await client.get(f"/v1/cases/{case}")).status_code == 200


async def check_served_without_broker(services: dict[str, Service], known_case: str) -> str:
    """Every service is degraded and ready; intake takes a complaint, whose case is returned, and sla reads one."""
    for service in services.values():
        answer = await wait_for_state(service, "degraded")
        assert not any(reason["blocking"] for reason in answer["reasons"])
        assert (await probe(service, "/ready"))[0] == 200
        assert (await probe(service, "/live"))[0] == 200
    await wait_for(lambda: has_reason(services["sla"], "broker"))
    reason = (await reasons_of(services["sla"]))["broker"]
    assert reason["reason"] == "the broker does not answer; timers wait until it does"
    assert reason["remedy"].startswith("start the broker")
    assert (datetime.now(UTC) - datetime.fromisoformat(reason["since"])).total_seconds() < 60
    async with http_client(services["sla"]) as client:
        metrics = (await client.get("/metrics")).text.splitlines()
    assert {"jiesu_ready 1.0", "jiesu_degraded 1.0"} <= set(metrics)
    assert await is_known(services["sla"], known_case)
    accepted = await submit(services["intake"])
    assert accepted.status_code == 202
    return str(accepted.json()["case"])


async def has_reason(service: Service, component: str) -> bool:
    return component in await reasons_of(service)


async def check_intake_starts_without_broker(settings: SettingsFactory, organisation: Path) -> str:
    """A process of intake that starts now takes complaints too."""
    second = build_services(settings, organisation)["intake"]
    starting = asyncio.create_task(second.start())
    await wait_for(lambda: second.http_port)
    answer = await wait_for_state(second, "degraded")
    assert (await probe(second, "/startup"))[0] == 200
    [consumer] = [reason for reason in answer["reasons"] if reason["component"] == "consumer"]
    assert "no broker answers at" in consumer["reason"] or "not joined" in consumer["reason"]
    accepted = await submit(second)
    assert accepted.status_code == 202
    second.stopping.set()
    await starting
    await second.stop()
    return str(accepted.json()["case"])


async def check_not_ready_without_database(services: dict[str, Service]) -> None:
    for service in services.values():
        answer = await wait_for_state(service, "not_ready")
        assert (await probe(service, "/ready"))[0] == 503
        first = answer["reasons"][0]
        assert (first["component"], first["blocking"]) == ("database", True)
        assert first["remedy"].startswith("start PostgreSQL, or correct DATABASE_URL")
        assert (await probe(service, "/live"))[0] == 200
        assert (await probe(service, "/startup"))[0] == 200
    assert (await submit(services["intake"])).status_code == 503


async def test_start_waits_for_the_database_and_says_so(make_settings: SettingsFactory, tmp_path: Path) -> None:
    absent = SettingsFactory(make_settings.bootstrap_servers, "postgresql+asyncpg://jiesu@127.0.0.1:9/none", make_settings.topic_prefix)
    service = build_services(absent, write_estate(tmp_path))["sla"]
    starting = asyncio.create_task(service.start())
    await wait_for(lambda: service.http_port and "database" in service.health.troubles())
    status, answer = await probe(service, "/startup")
    assert (status, answer["state"]) == (503, "starting")
    assert {reason["component"] for reason in answer["reasons"]} == {"starting", "database"}
    assert (await probe(service, "/ready"))[0] == 503
    assert (await probe(service, "/live"))[0] == 200
    service.stopping.set()
    await starting
    await service.stop()
