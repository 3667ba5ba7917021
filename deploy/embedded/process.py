"""Starts and stops server processes as children, and finds those that a killed parent left running."""

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
"""Interval between two checks of a condition."""


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Check `condition` until it holds or `seconds` have passed; return whether it holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def find_orphans(*arguments: str) -> list[int]:
    """Return the ids of running processes that have every one of `arguments` in their command line."""
    pids = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if set(arguments) <= {os.fsdecode(word) for word in entry.read_bytes().split(b"\0")}:
                pids.append(int(entry.parent.name))
    return [pid for pid in pids if pid != os.getpid() and not _has_ended(pid)]


def stop_orphans(*arguments: str, stop_signal: signal.Signals, seconds: float = 15) -> None:
    """Stop servers that an earlier, killed command left running: with `stop_signal`, after `seconds` with SIGKILL."""
    orphans = find_orphans(*arguments)
    _signal_all(orphans, signal.SIGCONT)  # a process stopped by SIGSTOP handles no other signal
    _signal_all(orphans, stop_signal)
    if not wait_until(lambda: all(map(_has_ended, orphans)), seconds):
        _signal_all(orphans, signal.SIGKILL)
        if not wait_until(lambda: all(map(_has_ended, orphans)), 5):
            raise EmbeddedServerError(f"A server of an earlier run does not end: stop process {orphans[0]} and try again.")


class ManagedProcess:
    """One server process, with its output in a file.

    The kernel sends it `stop_signal` when the thread that started it ends, so start servers from the main thread or from one that
    outlives them.
    """

    def __init__(self, name: str, log: Path, stop_signal: signal.Signals) -> None:
        self.name = name
        self.log = log
        self._stop_signal = stop_signal
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id; raises EmbeddedServerError if the process was not started."""
        if self._child is None:
            raise EmbeddedServerError(f"{self.name} was not started: start it first.")
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether the process was started and has not ended."""
        return self._child is not None and self._child.poll() is None

    @property
    def how_it_ended(self) -> str | None:
        """The exit status or the signal that ended the process; None while it runs."""
        status = None if self._child is None else self._child.poll()
        if status is None:
            return None
        return f"status {status}" if status >= 0 else signal.Signals(-status).name

    def start(
        self,
        command: Sequence[str],
        wrapper: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        *,
        keep_log: bool = False,
    ) -> None:
        """Run `command` behind `wrapper` (a change of user) in a session of its own, so that Ctrl-C does not reach it.

        `environment` is added to this process's. Secrets belong there: every user can read a command line. The settings of the services
        are not inherited: a process gets those that `environment` holds. `keep_log` leaves the output of the process before in the file.
        """
        full_command = [*wrapper, *_parent_death_wrapper(self._stop_signal), *command]
        # Appended to: children of a killed server still write here, and would leave a hole in a file that is written from its start.
        if not keep_log:
            self.log.write_bytes(b"")
        with self.log.open("ab") as output:
            self._child = subprocess.Popen(
                full_command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env={**_inherited_environment(), **(environment or {})},
            )

    def stop(self, seconds: float = 15) -> None:
        """Send the stop signal, after `seconds` SIGKILL, and reap the process; does nothing if it has ended."""
        if self._child is None:
            return
        if self.running:
            self._child.send_signal(signal.SIGCONT)
            self._child.send_signal(self._stop_signal)
        try:
            self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Send SIGKILL and reap the process."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()

    def freeze(self) -> None:
        """Send SIGSTOP, which leaves connections open, and return once every thread has stopped."""
        os.kill(self.pid, signal.SIGSTOP)
        if not wait_until(lambda: _states(self.pid) <= {"T"}, 5):
            raise EmbeddedServerError(f"{self.name} does not stop after SIGSTOP: the machine may be overloaded; try again.")

    def thaw(self) -> None:
        """Resume a frozen process."""
        os.kill(self.pid, signal.SIGCONT)

    def output_contains(self, words: str) -> bool:
        """Whether its output since the start holds these words."""
        return words in self.log.read_text(errors="replace")

    def log_tail(self, lines: int = 6) -> str:
        """Return the last lines of its output, for an error message."""
        return "\n".join(self.log.read_text(errors="replace").strip().splitlines()[-lines:])


def _inherited_environment() -> dict[str, str]:
    # Settings hold passwords and keys, and /proc shows a process's environment to every process of its user.
    return {name: value for name, value in os.environ.items() if not name.startswith("JIESU_") and name != "DATABASE_URL"}


@cache
def _parent_death_wrapper(stop_signal: signal.Signals) -> tuple[str, ...]:
    wrapper = ("setpriv", "--pdeathsig", stop_signal.name.removeprefix("SIG"))
    if shutil.which("setpriv") is None or subprocess.run([*wrapper, "true"], check=False, capture_output=True).returncode:
        return ()
    return wrapper


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
    """The state letters of a process's threads in /proc."""
    states = set()
    for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
        with suppress(OSError):  # a thread that has just ended
            states.add(_state(stat))
    return states


def _state(stat: Path) -> str:
    return stat.read_text().rpartition(")")[2].split()[0]
