"""One container: a process with the root, user, limits of rights, network and variables that the compose file gives it."""

import os
import shlex
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from deploy.embedded.process import wait_until
from tests.support.containers.networks import NetworkNamespace
from tests.support.containers.root_files import UNSHARE, RootFiles

_START_SECONDS = 10.0
# What `cap_drop: [ALL]` and `no-new-privileges` leave.
_NO_RIGHTS = ["--clear-groups", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]


@dataclass
class Container:
    """A container that can be started once; `log` receives its output."""

    root: RootFiles
    network: NetworkNamespace
    command: list[str]
    environment: Mapping[str, str]
    log: Path
    user: str = "0:0"
    folder: str = "/"
    read_only: bool = False
    temporary: list[str] = field(default_factory=list)
    _process: subprocess.Popen[bytes] | None = None
    _leader: int = 0

    def start(self) -> None:
        """Start the command as process 1 of the container."""
        self.root.prepare(self.temporary)
        script = self.root.script(read_only=self.read_only, temporary=self.temporary)
        script += f"\nexec chroot {shlex.quote(str(self.root.folder))} {shlex.join(self._unprivileged(self.command))}"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                ["nsenter", f"--net={self.network.path}", UNSHARE, "--mount", "--pid", "--fork", "--kill-child", "/bin/sh", "-c", script],
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._leader = self._find_leader()

    def run(self, command: list[str], seconds: float = 15.0) -> subprocess.CompletedProcess[str]:
        """Run a command in the running container, with its user and variables: what a health check does."""
        # The environment of nsenter itself; it is handed on.
        enter = ["nsenter", f"--target={self._leader}", "--mount", "--net", "--pid", "--root", f"--wd={self._working_folder()}"]
        return subprocess.run(
            [*enter, *self._unprivileged(command, enter=False)],
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )

    @property
    def status(self) -> dict[str, str]:
        """The kernel's description of process 1."""
        lines = Path(f"/proc/{self._leader}/status").read_text(encoding="utf-8").splitlines()
        return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}

    @property
    def started(self) -> bool:
        """Whether `start` has been called."""
        return self._process is not None

    @property
    def returncode(self) -> int | None:
        """Exit status of process 1; None while it runs."""
        return self._process.poll() if self._process else None

    def stop(self, seconds: float) -> int:
        """Send SIGTERM as the engine does, SIGKILL after the period of grace; return the exit status."""
        assert self._process is not None
        if self._process.poll() is None:
            os.kill(self._leader, signal.SIGTERM)
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                os.kill(self._leader, signal.SIGKILL)
        return self._process.wait()

    def output(self) -> str:
        """The end of what it wrote."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-3000:]

    def _unprivileged(self, command: list[str], *, enter: bool = True) -> list[str]:
        user, group = self.user.split(":")
        prefix = ["/usr/bin/setpriv", f"--reuid={user}", f"--regid={group}", *_NO_RIGHTS]
        return [*prefix, "/usr/bin/env", f"--chdir={self.folder}", *command] if enter else [*prefix, *command]

    def _working_folder(self) -> str:
        return f"/proc/{self._leader}/root{self.folder}"

    def _find_leader(self) -> int:
        """Id of process 1, as this machine numbers it: the one child of `unshare`, once it has its own root."""
        assert self._process is not None
        unshare = self._process
        children = Path(f"/proc/{unshare.pid}/task/{unshare.pid}/children")

        def leader() -> str:
            [child] = children.read_text().split() or [""]
            return child if child and str(Path(f"/proc/{child}/root").readlink()) != "/" else ""

        def found_or_ended() -> bool:
            with suppress(OSError):  # either process may have ended
                return bool(leader())
            return unshare.poll() is not None

        assert wait_until(found_or_ended, _START_SECONDS), f"{shlex.join(self.command)} did not start: {self.output()}"
        with suppress(OSError):
            return int(leader())
        return 0
