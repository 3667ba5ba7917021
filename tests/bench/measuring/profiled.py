"""Runs a service and samples its CPU: `python -m tests.bench.measuring.profiled FILE services.sla`, with arguments of the module.

The kernel sends SIGPROF for every 5 ms of CPU that the process uses; the handler assigns the stack to a layer. SIGUSR1 forgets the
samples, so that start and warm-up do not count. The samples are written when the service ends.
"""

from __future__ import annotations

import runpy
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import orjson

from tests.bench.measuring.layers import layer_of

_INTERVAL_SECONDS = 0.005
_PROJECT = str(Path(__file__).parents[3])


class SampledLayers:
    """Samples by layer, and by the innermost function of the project."""

    def __init__(self) -> None:
        self.layers: Counter[str] = Counter()
        self.functions: Counter[str] = Counter()

    def sample(self, _: int, frame: FrameType | None) -> None:
        """Count the present stack."""
        frames = list(_frames(frame))
        layer = layer_of(frames)
        self.layers[layer] += 1
        own = next((name for name in frames if name.startswith(_PROJECT) and "/.venv/" not in name), "")
        # Callbacks of libraries have no frame of ours between them and the event loop.
        function = "callbacks of libraries" if own.endswith((":run_service", "profiled.py:main")) else own.removeprefix(f"{_PROJECT}/")
        self.functions[f"{layer}: {function}"] += 1

    def reset(self, *_: object) -> None:
        """Forget all samples."""
        self.layers.clear()
        self.functions.clear()

    def write(self, path: Path) -> None:
        """Write the samples by layer, and the functions with the most."""
        path.write_bytes(orjson.dumps({"layers": dict(self.layers), "functions": self.functions.most_common(40)}))


def _frames(frame: FrameType | None) -> Iterator[str]:
    while frame is not None:
        yield f"{frame.f_code.co_filename}:{frame.f_code.co_name}"
        frame = frame.f_back


def main() -> None:
    """Run the module until it ends."""
    path, module = Path(sys.argv[1]), sys.argv[2]
    sys.argv = sys.argv[2:]
    samples = SampledLayers()
    signal.signal(signal.SIGPROF, samples.sample)
    signal.signal(signal.SIGUSR1, samples.reset)
    signal.setitimer(signal.ITIMER_PROF, _INTERVAL_SECONDS, _INTERVAL_SECONDS)
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        samples.write(path)


if __name__ == "__main__":
    main()
