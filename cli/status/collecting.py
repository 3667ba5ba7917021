"""Collects the status of a stack from all its sources."""

import asyncio
from pathlib import Path

from cli.stack.addresses import Addresses
from cli.stack.log_lines import in_order, log_files
from cli.status.heartbeats import process_statuses
from cli.status.model import LastError, StackStatus
from cli.status.work import work_statuses
from shared.runtime.clock import Clock
from shared.runtime.process.settings import RuntimeSettings

_LAST_ERRORS = 10
_ERROR_LEVELS = frozenset(("error", "critical"))


async def collect(settings: RuntimeSettings, root: Path, addresses: Addresses | None) -> StackStatus:
    """The status; what cannot be read is named in its `troubles`. `addresses` are those of the `jiesu up` in `root`."""
    troubles: list[str] = []
    now = Clock().real_now()
    processes, (work, letters) = await asyncio.gather(
        process_statuses(settings, addresses, now, troubles), work_statuses(settings, now, troubles)
    )
    errors = [*letters, *(logged_errors(root) if addresses is not None else [])]
    return StackStatus(
        broker=settings.kafka_bootstrap_servers,
        root=str(root) if addresses is not None else "",
        troubles=troubles,
        processes=processes,
        work=work,
        last_errors=sorted(errors, key=lambda error: error.at)[-_LAST_ERRORS:],
    )


def logged_errors(root: Path) -> list[LastError]:
    """The latest error lines of the logs."""
    lines = [line for file in log_files(root).values() for line in file.new_lines() if line.fields.get("level") in _ERROR_LEVELS]
    return [
        LastError(
            at=line.timestamp,
            service=line.process,
            source="log",
            text=f"{line.fields.get('event')} {line.fields.get('reason', '')}".strip(),
        )
        for line in in_order(lines)[-_LAST_ERRORS:]
    ]
