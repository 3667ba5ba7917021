"""Starts services of a stack again under the sampler of `profiled.py`, and renders what it found."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from cli.stack.process_environment import process_environment
from cli.stack.stack import Stack
from deploy.embedded.process import ManagedProcess
from tests.bench.measuring.layers import LAYERS
from tests.bench.measuring.tables import table

_FUNCTIONS = 6


class ProfiledServices:
    """Services under the sampler, from their start until `stop`."""

    def __init__(self, stack: Stack, names: Sequence[str]) -> None:
        self._stack = stack
        self._files = {name: stack.root / f"profile-{name}.json" for name in names}
        for name, file in self._files.items():
            stack.processes[name].stop()
            process = ManagedProcess(name, stack.root / "logs" / f"{name}-profiled.log", signal.SIGTERM)
            environment = {**process_environment(name, stack.environment), "JIESU_HTTP_PORT": str(stack.ports[name])}
            command = [sys.executable, "-P", "-m", "tests.bench.measuring.profiled", str(file), f"services.{name}"]
            process.start(command, environment=environment)
            stack.processes[name] = process

    def reset(self) -> None:
        """Forget the samples of the start."""
        for name in self._files:
            os.kill(self._stack.processes[name].pid, signal.SIGUSR1)

    def stop(self) -> dict[str, Any]:
        """Stop the services; returns samples by layer and by function for each."""
        for name in self._files:
            self._stack.processes[name].stop()
        return {name: _samples(file) for name, file in self._files.items()}


def _samples(file: Path) -> dict[str, Any]:
    samples: dict[str, Any] = orjson.loads(file.read_bytes())
    return samples


def profile_tables(profile: Mapping[str, Any], last: tuple[str, Mapping[str, str]]) -> Iterator[str]:
    """Shares by layer with a last row by service, and the functions with the most samples."""
    totals = {name: sum(samples["layers"].values()) or 1 for name, samples in profile.items()}
    rows = [(layer, *(f"{samples['layers'].get(layer, 0) / totals[name]:.0%}" for name, samples in profile.items())) for layer in LAYERS]
    label, values = last
    yield from table(("layer", *profile), [*rows, (label, *(values[name] for name in profile))])
    yield "The functions of the project with the most samples, their calls into libraries included:\n"
    yield from table(
        ("service", "share", "layer: function"),
        [
            (name, f"{count / totals[name]:.0%}", f"`{function}`")
            for name, samples in profile.items()
            for function, count in samples["functions"][:_FUNCTIONS]
        ],
    )
