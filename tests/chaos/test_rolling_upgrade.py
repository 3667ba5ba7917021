"""One service after the other is upgraded under load, taken back to the old version, and upgraded again."""

import asyncio
from pathlib import Path

import pytest

from tests.support.messaging.workload import ORGANISATION, workload_client
from tests.support.upgrades.load import BATCH, Load, migrate_all, migrate_to_baseline, require_consistent
from tests.support.upgrades.old_version import extract_old_version
from tests.support.upgrades.two_versions import NEW, OLD, OLD_SERVICES, TwoVersions, two_versions

UPGRADE_ORDER = tuple(reversed(OLD_SERVICES))
"""Consumers first, as docs/how-to/upgrade.md says."""


@pytest.mark.timeout(1800)
def test_rolling_upgrade_back_and_forward_again_loses_nothing(
    bootstrap_servers: str, empty_database_url: str, topic_prefix: str, tmp_path: Path
) -> None:
    old_folder = extract_old_version(tmp_path / "old-version")
    environment = {"KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers, "DATABASE_URL": empty_database_url, "JIESU_TOPIC_PREFIX": topic_prefix}
    with two_versions(tmp_path, environment, ORGANISATION, old_folder) as versions:
        asyncio.run(_back_and_forward(versions))


async def _back_and_forward(versions: TwoVersions) -> None:
    await migrate_to_baseline(versions.stack.environment)
    await versions.start_all(OLD)
    async with workload_client(versions.stack) as client, Load(client) as load:
        await load.wait_for_more(BATCH)
        await migrate_all(versions.stack.environment)
        versions.start("desk", NEW)
        for order, old, new in ((UPGRADE_ORDER, OLD, NEW), (OLD_SERVICES, NEW, OLD), (UPGRADE_ORDER, OLD, NEW)):
            for service in order:
                await _replace(versions, load, service, old, new)
        await load.end()
        await require_consistent(versions.stack.environment, client, 3 * len(OLD_SERVICES) * BATCH)


async def _replace(versions: TwoVersions, load: Load, service: str, old: str, new: str) -> None:
    """Start the process of one version beside the other's, let both work, stop the other's."""
    versions.start(service, new)
    await versions.wait_sharing(service, [old, new])
    await load.wait_for_more(BATCH)
    versions.stop(service, old)
    await versions.wait_sharing(service, [new])
