"""Both versions of every service share partitions and tables under load: nothing is lost, repeated or out of order."""

import asyncio
from pathlib import Path

import pytest

from cli.service_names import SERVICES
from tests.support.messaging.workload import ORGANISATION, workload_client
from tests.support.upgrades.load import BATCH, Load, migrate_all, migrate_to_baseline, require_consistent
from tests.support.upgrades.two_versions import NEW, OLD, TwoVersions, two_versions


@pytest.mark.timeout(600)
def test_an_upgrade_under_load_loses_nothing(
    bootstrap_servers: str, empty_database_url: str, topic_prefix: str, old_folder: Path, tmp_path: Path
) -> None:
    """Old alone on its own tables, migration while it works, both versions beside each other, new alone."""
    environment = {"KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers, "DATABASE_URL": empty_database_url, "JIESU_TOPIC_PREFIX": topic_prefix}
    with two_versions(tmp_path, environment, ORGANISATION, old_folder) as versions:
        asyncio.run(_upgrade(versions))


async def _upgrade(versions: TwoVersions) -> None:
    await migrate_to_baseline(versions.stack.environment)
    await versions.start_all(OLD)
    async with workload_client(versions.stack) as client, Load(client) as load:
        await load.wait_for_more(BATCH)
        await migrate_all(versions.stack.environment)
        await versions.start_all(NEW, beside=[OLD])
        await load.wait_for_more(BATCH)
        for service in SERVICES:
            versions.stop(service, OLD)
        await asyncio.gather(*(versions.wait_sharing(service, [NEW]) for service in SERVICES))
        await load.wait_for_more(BATCH)
        await load.end()
        await require_consistent(versions.stack.environment, client, 3 * BATCH)
