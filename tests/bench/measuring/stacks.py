"""New servers and services for one bench, with the settings of a production server."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from zoneinfo import ZoneInfo

from cli.stack.stack import Stack, recreate_database, running_stack
from deploy.embedded import EmbeddedServers
from tests.bench.measuring.results import ROOT
from tests.support.messaging.workload import ORGANISATION

CHAIN = ROOT / "tests" / "bench" / "chain"
ORGANISATIONS = {"one-notice": CHAIN / "organisation.yaml", "hunan-property": ORGANISATION}
HELD_TABLES = {"one-notice": {"notify.delivery"}, "hunan-property": set[str]()}
"""Text messages wait for the end of the quiet hours, since the gateway's speed is not measured; mails are sent at once."""
POSTGRES = {"shared_buffers": "512MB", "max_wal_size": "4GB", "checkpoint_timeout": "15min", "wal_init_zero": "off"}
"""Settings of a production server; wal_init_zero is off since a long-running server recycles its WAL files."""


@contextmanager
def started_stack(
    procedure: str, progress: Callable[[str], None], further: Mapping[str, str] = MappingProxyType({})
) -> Iterator[tuple[Stack, EmbeddedServers]]:
    """New servers and services, as `make up` starts them but with more memory for PostgreSQL; `further` variables of the services."""
    folder = ROOT / "var" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    with (
        TemporaryDirectory(dir=folder) as root,
        EmbeddedServers(Path(root) / "servers", postgres_settings=POSTGRES, progress=progress) as servers,
    ):
        quiet_hours = {"JIESU_QUIET_HOURS": _hours_from_now()} if HELD_TABLES[procedure] else {}
        environment = {
            **servers.environment,
            **quiet_hours,
            "DATABASE_URL": recreate_database(servers.database_url, "bench"),
            "JIESU_LOG_LEVEL": "WARNING",
            "JIESU_DIGEST_WINDOW": "0",
            **further,
        }
        with running_stack(Path(root) / "stack", environment, ORGANISATIONS[procedure], progress) as stack:
            yield stack, servers


def _hours_from_now() -> str:
    now = datetime.now(ZoneInfo("Asia/Shanghai"))
    return f"{now - timedelta(hours=1):%H:%M}-{now + timedelta(hours=4):%H:%M}"
