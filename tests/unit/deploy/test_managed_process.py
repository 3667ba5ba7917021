"""The output of a server process, to which children of the process before it may still write."""

import signal
import sys
from pathlib import Path

from deploy.embedded.process import ManagedProcess, wait_until

LINES = 20
CHILD = f"""
import pathlib, sys, time
while not pathlib.Path(sys.argv[1]).exists():
    time.sleep(0.01)
print('terminated\\n' * {LINES}, flush=True)
"""
PARENT = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {CHILD!r}, sys.argv[1]]); print('old', flush=True)"


def test_what_a_process_wrote_is_found_behind_the_output_of_another_ones_children(tmp_path: Path) -> None:
    go, process = tmp_path / "go", ManagedProcess("server", tmp_path / "log", signal.SIGTERM)
    process.start([sys.executable, "-c", PARENT, str(go)])
    assert wait_until(lambda: not process.running, 20)
    process.start([sys.executable, "-c", "print('in use', flush=True)"])
    assert wait_until(lambda: not process.running, 20)
    go.touch()
    assert wait_until(lambda: process.log.read_text().count("terminated") == LINES, 20)
    assert process.output_contains("in use")
    assert not process.output_contains("old")
    assert "\x00" not in process.log.read_text()
