"""Runs `jiesu up` with the demo's organisation on free ports for the length of a block."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_START_SECONDS, _STOP_SECONDS = 300, 60


@contextmanager
def running_demo(root: Path) -> Iterator[Mapping[str, str]]:
    """The addresses of the services by name; raises `RuntimeError` with the output where the system does not start."""
    command = [str(Path(sys.executable).with_name("jiesu")), "up", "--root", str(root), "--free-ports", "--without-prometheus"]
    root.mkdir(parents=True)
    log = root / "up.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        try:
            yield _addresses(process, root / "addresses.json", log)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(_STOP_SECONDS)


def _addresses(process: subprocess.Popen[bytes], file: Path, log: Path) -> Mapping[str, str]:
    deadline = time.monotonic() + _START_SECONDS
    # `jiesu up` writes the file once every service is ready.
    while not file.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"`jiesu up` did not start:\n{log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.2)
    services: Mapping[str, str] = json.loads(file.read_text())["services"]
    return services
