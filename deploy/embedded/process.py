"""Server processes: started as our children, stopped with us, found again when we were killed."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from deploy.embedded.errors import EmbeddedServerError

POLL_SECONDS = 0.02
"""Seconds between two looks at a condition."""


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Look at `condition` until it holds (true) or `seconds` have passed (false)."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def find_orphans(*arguments: str) -> list[int]:
    """Ids of running processes that have every one of `marks` among their arguments, word for word."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if set(arguments) <= {os.fsdecode(word) for word in entry.read_bytes().split(b"\0")}:
                found.append(int(entry.parent.name))
    return [pid for pid in found if pid != os.getpid() and not _has_ended(pid)]


def stop_orphans(*arguments: str, stop_signal: signal.Signals, seconds: float = 15) -> None:
    """End what an earlier, killed command left running: `gently` first, SIGKILL after `seconds`."""
    left = find_orphans(*arguments)
    _signal_all(left, signal.SIGCONT)
    _signal_all(left, stop_signal)
    if not wait_until(lambda: all(map(_has_ended, left)), seconds):
        _signal_all(left, signal.SIGKILL)
        if not wait_until(lambda: all(map(_has_ended, left)), 5):
            raise EmbeddedServerError(f"A server of an earlier run does not end: stop process {left[0]} and try again.")


class ManagedProcess:
    """One server process of ours, with its output in a file.

    It is told to stop with `gently` when our thread that started it ends, however it ends: start servers from the main thread
    or from one that lives as long as they shall.
    """

    def __init__(self, name: str, log: Path, stop_signal: signal.Signals) -> None:
        self.name = name
        self.log = log
        self._gently = stop_signal
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id; raises `EmbeddedServerError` when it was not started."""
        if self._child is None:
            raise EmbeddedServerError(f"{self.name} was not started: start it first.")
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether the process was started and has not ended."""
        return self._child is not None and self._child.poll() is None

    def start(self, command: Sequence[str], wrapper: Sequence[str] = (), environment: Mapping[str, str] | None = None) -> None:
        """Run `command`, behind `wrapper` (a change of user), apart from our terminal, so that Ctrl-C reaches us alone.

        `environment` is added to ours, not put on the command line, where everybody could read it. The settings of the services are not
        inherited: a process gets those that `environment` holds.
        """
        words = [*wrapper, *_parent_death_wrapper(self._gently), *command]
        with self.log.open("wb") as output:
            self._child = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env={**_inherited_environment(), **(environment or {})},
            )

    def stop(self, seconds: float = 15) -> None:
        """Ask it to end, insist after `seconds`, and reap it; nothing happens when it has ended already."""
        if self._child is None:
            return
        if self.running:
            self._child.send_signal(signal.SIGCONT)
            self._child.send_signal(self._gently)
        try:
            self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """`kill -9`, and reap it."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()

    def freeze(self) -> None:
        """Stop the process in its tracks (SIGSTOP), its connections open; returns once every thread stands, which takes a moment."""
        os.kill(self.pid, signal.SIGSTOP)
        if not wait_until(lambda: _states(self.pid) <= {"T"}, 5):
            raise EmbeddedServerError(f"{self.name} does not stand still after SIGSTOP: is the machine overloaded? Try again.")

    def thaw(self) -> None:
        """Let a frozen process go on."""
        os.kill(self.pid, signal.SIGCONT)

    def log_tail(self, lines: int = 6) -> str:
        """The end of its output, for an error message."""
        return "\n".join(self.log.read_text(errors="replace").strip().splitlines()[-lines:])


def _inherited_environment() -> dict[str, str]:
    # Settings hold passwords and keys, and /proc shows a process's environment to every process of its user.
    return {name: value for name, value in os.environ.items() if not name.startswith("JIESU_") and name != "DATABASE_URL"}


@cache
def _parent_death_wrapper(gently: signal.Signals) -> tuple[str, ...]:
    words = ("setpriv", "--pdeathsig", gently.name.removeprefix("SIG"))
    if shutil.which("setpriv") is None or subprocess.run([*words, "true"], check=False, capture_output=True).returncode:
        return ()
    return words


def _signal_all(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _has_ended(pid: int) -> bool:
    try:
        state = _state(Path(f"/proc/{pid}/stat"))
    except OSError:
        return True
    return state in {"Z", "X"}


def _states(pid: int) -> set[str]:
    """The states of a process's threads, as /proc has them."""
    found = set()
    for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
        with suppress(OSError):  # a thread that has just ended
            found.add(_state(stat))
    return found


def _state(stat: Path) -> str:
    return stat.read_text().rpartition(")")[2].split()[0]
