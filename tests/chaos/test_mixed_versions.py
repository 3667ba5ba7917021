"""Old processes and new services share partitions and tables: nothing is lost, repeated or out of order.

The upgrade of one service after the other, with the migration under load and the way back, is in test_rolling_upgrade.py.
"""

import asyncio
from pathlib import Path

import pytest

from services.intake.bootstrap import build as build_intake
from services.intake.config import IntakeSettings
from services.notify.bootstrap import build as build_notify
from services.notify.config import NotifySettings
from services.sla.bootstrap import build as build_sla
from services.sla.config import SlaSettings
from services.triage.bootstrap import build as build_triage
from services.triage.config import TriageSettings
from shared.runtime.service import Service
from tests.support.messaging.all_services import running
from tests.support.messaging.workload import ORGANISATION, workload_client
from tests.support.upgrades.load import BATCH, Load, migrate_all, require_consistent
from tests.support.upgrades.old_version import extract_old_version
from tests.support.upgrades.two_versions import NEW, OLD, OLD_SERVICES, PARTITIONS, PATIENCE, TwoVersions, two_versions
from tests.support.waiting import wait_for


@pytest.mark.timeout(600)
def test_both_versions_of_every_service_work_beside_each_other(
    bootstrap_servers: str,
    empty_database_url: str,
    topic_prefix: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old_folder = extract_old_version(tmp_path / "old-version")
    environment = {"KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers, "DATABASE_URL": empty_database_url, "JIESU_TOPIC_PREFIX": topic_prefix}
    with two_versions(tmp_path, environment, ORGANISATION, old_folder) as versions:
        for name, value in {**versions.stack.environment, "JIESU_HTTP_PORT": "0"}.items():
            monkeypatch.setenv(name, value)
        asyncio.run(_work_beside_each_other(versions))


async def _work_beside_each_other(versions: TwoVersions) -> None:
    await migrate_all(versions.stack.environment)
    versions.start("desk", NEW)
    for service in OLD_SERVICES:
        versions.start(service, OLD)
    async with running(_new_services()) as services, workload_client(versions.stack) as client, Load(client) as load:
        await asyncio.gather(*(_wait_sharing(versions, service) for service in services.values()))
        await load.wait_for_more(BATCH)
        await asyncio.gather(*(asyncio.to_thread(versions.stop, service, OLD) for service in OLD_SERVICES))
        await load.wait_for_more(BATCH)
        await load.end()
        await require_consistent(versions.stack.environment, client, 2 * BATCH)


def _new_services() -> dict[str, Service]:
    """The present version in this process: four processes fewer to start."""
    return {
        "intake": build_intake(IntakeSettings()),
        "triage": build_triage(TriageSettings()),
        "sla": build_sla(SlaSettings()),
        "notify": build_notify(NotifySettings()),
    }


async def _wait_sharing(versions: TwoVersions, new: Service) -> None:
    async def shared() -> bool:
        held = (await versions.partitions_held(f"{new.name}-{OLD}"), len(new.watermark.owned_partitions()))
        return all(held) and sum(held) == PARTITIONS

    await wait_for(shared, deadline=PATIENCE, what=f"{new.name} shared by both versions", pause=0.1)
