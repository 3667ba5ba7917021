"""Processes of two versions of each service on one database and the same topics."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from cli.service_names import SERVICES
from cli.stack.process_environment import process_environment
from cli.stack.stack import SINKS, Stack, prepared_stack, service_ports, wait_listening
from deploy.embedded.process import ManagedProcess
from tests.support.upgrades.old_version import old_environment
from tests.support.waiting import wait_for

OLD, NEW = "old", "new"
OLD_SERVICES = ("intake", "triage", "sla", "notify")
"""Those of the old version; a service that came later has no old process."""
PARTITIONS = 24
PATIENCE = 240.0
STOP_SECONDS = 30.0
_QUICK_MESSAGES = {
    "JIESU_DIGEST_AFTER": "1",
    "JIESU_DIGEST_WINDOW": "2",
    "JIESU_DIGEST_URGENT_GAP": "1",
    "JIESU_DATABASE_POOL": "3",  # eight processes share one small server
}
_HELD = re.compile(r"^jiesu_partitions_held (\d+)", re.MULTILINE)


@dataclass(slots=True)
class TwoVersions:
    """A stack whose processes are named `<service>-old` and `<service>-new`; `old_folder` holds the old version's packages."""

    stack: Stack
    old_folder: Path

    def start(self, service: str, version: str) -> None:
        """Start a process of a version of a service."""
        name = f"{service}-{version}"
        process = ManagedProcess(name, self.stack.root / "logs" / f"{name}.log", signal.SIGTERM)
        process.log.parent.mkdir(parents=True, exist_ok=True)
        environment = {**process_environment(service, self.stack.environment), "JIESU_HTTP_PORT": str(self.stack.ports[name])}
        if version == OLD:
            # It refuses settings that it does not know, such as those of a service that came later.
            environment = {name: value for name, value in environment.items() if not name.startswith("JIESU_DESK_")}
            environment |= old_environment(self.old_folder)
        process.start([sys.executable, "-P", "-m", f"services.{service}"], environment=environment)
        self.stack.processes[name] = process

    def stop(self, service: str, version: str) -> None:
        """Stop it as a rollout does: by SIGTERM, after which it hands over its partitions."""
        self.stack.processes[f"{service}-{version}"].stop(STOP_SECONDS)

    async def wait_sharing(self, service: str, versions: Sequence[str]) -> None:
        """Wait until the processes of these versions hold all partitions of the service together, each of them some."""

        async def shared() -> bool:
            held = [await self.partitions_held(f"{service}-{version}") for version in versions]
            return all(held) and sum(held) == PARTITIONS

        await wait_for(shared, deadline=PATIENCE, what=f"{service} shared by {' and '.join(versions)}", pause=0.1)

    async def partitions_held(self, name: str) -> int:
        """The number of partitions that a process holds by its metrics; fails if it has ended."""
        process = self.stack.processes[name]
        assert process.running, f"{name} ended:\n{process.log_tail(20)}"
        try:
            async with httpx.AsyncClient(timeout=5) as http:
                found = _HELD.search((await http.get(f"{self.stack.url(name)}/metrics")).text)
        except httpx.TransportError:
            return 0
        return int(found[1]) if found else 0

    async def start_all(self, version: str, beside: Sequence[str] = ()) -> None:
        """Start every service in a version, and wait until it shares the work with the versions that run already."""
        for service in OLD_SERVICES:
            self.start(service, version)
        await asyncio.gather(*(self.wait_sharing(service, [*beside, version]) for service in OLD_SERVICES))


@contextmanager
def two_versions(root: Path, environment: dict[str, str], organisation: Path, old_folder: Path) -> Iterator[TwoVersions]:
    """Topics and sinks, without a table and without a service; all processes stop with the block."""
    # All at once: a port that was free a moment ago may be given to a process that is still starting.
    names = [*(f"{service}-{OLD}" for service in OLD_SERVICES), *(f"{service}-{NEW}" for service in SERVICES)]
    ports = service_ports(*names)
    stack = prepared_stack(root, {**_QUICK_MESSAGES, **environment}, organisation, ports)
    try:
        wait_listening(stack.start(SINKS))
        yield TwoVersions(stack, old_folder)
    finally:
        stack.stop()
