"""CPU time and memory that processes have used, by part of the system."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cli.service_names import SERVICES
from cli.stack.stack import Stack
from deploy.embedded import EmbeddedServers

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class ResourceUsage:
    """CPU seconds and resident megabytes by process."""

    cpu_seconds: dict[str, float]
    resident_megabytes: dict[str, float]


def process_ids(stack: Stack, servers: EmbeddedServers) -> dict[str, list[int]]:
    """Process ids by part; PostgreSQL has several."""
    processes = {name: [process.pid] for name, process in stack.processes.items()}
    if servers.kafka is not None:
        processes["kafka"] = [servers.kafka.process.pid]
    if servers.postgres is not None:
        processes["postgres"] = process_family(servers.postgres.process.pid)
    return {**processes, "senders": [os.getpid()]}


def process_family(root: int) -> list[int]:
    """A process and its descendants."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(entry.parent.name)] = int(entry.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    family = [root]
    for pid in family:
        family += [child for child, parent in parents.items() if parent == pid]
    return family


def measure_usage(stack: Stack, servers: EmbeddedServers) -> ResourceUsage:
    """CPU and memory that each part has used so far."""
    processes = process_ids(stack, servers)
    return ResourceUsage(
        cpu_by_part(processes),
        {name: sum(_resident(pid) for pid in listed) for name, listed in processes.items() if name != "postgres"},
    )


def cpu_by_part(processes: Mapping[str, Sequence[int]]) -> dict[str, float]:
    """CPU seconds so far, by part."""
    return {name: sum(map(cpu_seconds, listed)) for name, listed in processes.items()}


def cpu_seconds(pid: int) -> float:
    """CPU seconds including ended children; 0 for a process that has just ended, whose parent's figure includes it."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / _TICKS


def _resident(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


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
