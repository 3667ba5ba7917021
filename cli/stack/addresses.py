"""The addresses of a stack that `jiesu up` runs, kept in `addresses.json` of its folder, and the settings of its processes."""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import orjson
from click import ClickException
from pydantic import BaseModel, ValidationError

from deploy.embedded import RootInUseError
from deploy.embedded.locks import DirectoryLock

DEFAULT_ROOT = Path("var/up")
ADDRESSES_FILE = "addresses.json"
_SETTINGS_FILE = "settings.json"
_LOCK_FILE = "up.lock"
_LOCK_SECONDS = 1.0
_PRIVATE = 0o600


class ProcessState(BaseModel):
    """A process of the stack: its id, how often it was started again, and how it ended last."""

    pid: int
    restarts: int = 0
    last_end: str = ""


class Addresses(BaseModel):
    """Where the parts of a running stack are; without secrets."""

    started_at: datetime
    broker: str
    database: str
    services: dict[str, str]
    sinks: dict[str, str]
    prometheus: str = ""
    logs: Path
    processes: dict[str, ProcessState] = {}

    def lines(self) -> Iterator[str]:
        """One line for each address."""
        yield f"broker      {self.broker}"
        yield f"database    {self.database}"
        for name, url in self.services.items():
            use = "open it in a browser" if name == "desk" else "/openapi.json, /ready, /metrics"
            yield f"{name:<11} {url}  ({use})"
        for name, address in self.sinks.items():
            yield f"{name:<11} {address}"
        if self.prometheus:
            yield f"prometheus  {self.prometheus}"
        yield f"logs        {self.logs}"


class StaleAddressesError(ClickException):
    """`addresses.json` of a `jiesu up` that has ended."""


@contextmanager
def claimed(root: Path) -> Iterator[None]:
    """Hold the folder for one `jiesu up`, and delete what it wrote at the end; raises `ClickException` while another holds it."""
    lock = DirectoryLock(root / _LOCK_FILE)
    try:
        lock.acquire(_LOCK_SECONDS)
    except RootInUseError as error:
        owner = (root / _LOCK_FILE).read_text() or "unknown"
        raise ClickException(
            f"`jiesu up` (process {owner}) already runs in {root}: stop it, or give this one another --root and --free-ports"
        ) from error
    try:
        yield
    finally:
        for name in (ADDRESSES_FILE, _SETTINGS_FILE):
            (root / name).unlink(missing_ok=True)
        lock.release()


def write_addresses(root: Path, addresses: Addresses) -> None:
    """Write `addresses.json`."""
    _write_private(root / ADDRESSES_FILE, orjson.dumps(addresses.model_dump(mode="json"), option=orjson.OPT_INDENT_2))


def write_settings(root: Path, settings: Mapping[str, str]) -> None:
    """Keep the settings of the processes, secrets included, for the commands beside them; readable by this user only."""
    _write_private(root / _SETTINGS_FILE, orjson.dumps(dict(settings), option=orjson.OPT_INDENT_2))


def read_addresses(root: Path) -> Addresses | None:
    """The addresses of the stack that runs in this folder, None without one.

    Raises `StaleAddressesError` for those of one that has ended, `ClickException` for a file that cannot be read.
    """
    file = root / ADDRESSES_FILE
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ClickException(f"{file}: cannot be read ({error.strerror}): run the command as the user of `jiesu up`") from error
    if not _is_claimed(root):
        raise StaleAddressesError(
            f"{file} is stale, its `jiesu up` has ended: start `jiesu up` again, or set DATABASE_URL and KAFKA_BOOTSTRAP_SERVERS"
        )
    try:
        return Addresses.model_validate_json(content)
    except ValidationError as error:
        raise ClickException(f"{file}: is not one that `jiesu up` wrote: stop `jiesu up` and start it again") from error


def read_settings(root: Path) -> dict[str, str]:
    """The settings of the stack that runs in this folder."""
    settings: dict[str, str] = orjson.loads((root / _SETTINGS_FILE).read_bytes())
    return settings


def without_password(url: str) -> str:
    """A database URL that can be shown."""
    parts = urlsplit(url.replace("postgresql+asyncpg://", "postgresql://", 1))
    user, mark, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}{mark}{host}"))


def _is_claimed(root: Path) -> bool:
    # The lock, and no process id: the kernel releases it at any end, and gives the id of an ended process to another one.
    try:
        handle = os.open(root / _LOCK_FILE, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _write_private(file: Path, content: bytes) -> None:
    # Renamed, so that a reader finds the whole old or the whole new file.
    partial = file.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE), "wb") as handle:
        handle.write(content)
    partial.rename(file)
