"""Memory and processor time that processes have used."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Self

from cli.service_names import SERVICES
from cli.stack.stack import Stack
from deploy.embedded import EmbeddedServers
from tests.bench.pipeline import process_ids

_TICKS = os.sysconf("SC_CLK_TCK")


class Peaks:
    """Measures a stack's services for the length of a block; `megabytes` are the peaks by service."""

    def __init__(self, stack: Stack, servers: EmbeddedServers) -> None:
        self.megabytes: dict[str, float] = {}
        self._stack = stack
        self._servers = servers

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        processes = process_ids(self._stack, self._servers)
        self.megabytes = {service: max(map(peak_megabytes, processes[service]), default=0.0) for service in SERVICES}


def peak_megabytes(pid: int) -> float:
    """The kernel's own high-water mark of a process's memory, which no sampling misses."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return next((round(int(line.split()[1]) / 1024, 1) for line in status.splitlines() if line.startswith("VmHWM")), 0.0)


def cpu_seconds(pid: int) -> float:
    """Processor seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / _TICKS
