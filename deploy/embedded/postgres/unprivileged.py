"""Finds a way to run PostgreSQL as an unprivileged user, since it refuses to run as root."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from deploy.embedded.errors import EmbeddedServerError

_COPY_ROOT = Path("/var/tmp")  # noqa: S108 - every user can reach it, and it outlives a reboot; a folder is created in it
_NO_UNPRIVILEGED_USER = (
    "PostgreSQL refuses to run as root, and this machine allows neither user namespaces (unshare) nor another user (setpriv): "
    "run the command as an ordinary user, or set DATABASE_URL to use your own PostgreSQL."
)


@dataclass(frozen=True)
class UnprivilegedSetup:
    """The folders of PostgreSQL's programs and data, the prefix of each command, and the user who runs it if not this process's."""

    program_folder: Path
    data_home: Path
    wrapper: Sequence[str] = ()
    user_id: int | None = None

    def grant_ownership(self, folder: Path) -> None:
        """Give `folder` to the user who runs PostgreSQL, with mode 0700."""
        folder.chmod(0o700)
        if self.user_id is not None:
            os.chown(folder, self.user_id, self.user_id)


def unprivileged_setup(installation: Path, home: Path) -> UnprivilegedSetup:
    """Choose how to run the PostgreSQL in `installation` with its data in `home`.

    An ordinary user runs it directly. Root runs it in a user namespace, where files stay root's, or where that is forbidden as the
    user `nobody` on copies outside the checkout. Raises EmbeddedServerError if none of these works.
    """
    home.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0 and _has_user_entry(os.geteuid()):
        return UnprivilegedSetup(installation / "bin", home)
    mapped_user = next((entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid not in {0, 65534}), None)
    namespace = ("unshare", "--user", f"--map-user={mapped_user}", f"--map-group={mapped_user}")
    if (
        mapped_user is not None
        and _works([*namespace, str(installation / "bin" / "postgres"), "--version"])
        and _works([*namespace, "test", "-w", str(home)])
    ):
        return UnprivilegedSetup(installation / "bin", home, namespace)
    return _as_nobody(installation, home)


def _as_nobody(installation: Path, home: Path) -> UnprivilegedSetup:
    user = pwd.getpwnam("nobody").pw_uid
    wrapper = ("setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups")
    if os.geteuid() != 0 or not _works([*wrapper, "true"]):
        raise EmbeddedServerError(_NO_UNPRIVILEGED_USER)
    copy = _COPY_ROOT / f"jiesu-{sha256(str(home).encode()).hexdigest()[:12]}"
    copy.mkdir(mode=0o755, exist_ok=True)
    if copy.stat().st_uid != 0 or copy.is_symlink():
        raise EmbeddedServerError(f"{copy} does not belong to root: remove it and try again.")
    copy.chmod(0o755)
    setup = UnprivilegedSetup(_copy_programs(installation, copy), copy / "home", wrapper, user)
    setup.data_home.mkdir(exist_ok=True)
    setup.grant_ownership(setup.data_home)
    return setup


def _copy_programs(installation: Path, copy: Path) -> Path:
    """Copy the wheel's programs, and the libraries beside the package that they load, to where every user may run them."""
    package = installation.parent
    libraries = package.with_name(f"{package.name}.libs")
    target = copy / f"site-{(installation / 'bin' / 'postgres').stat().st_mtime_ns}"
    if not target.exists():
        partial = target.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(installation, partial / package.name / installation.name, symlinks=True)
        if libraries.exists():
            shutil.copytree(libraries, partial / libraries.name, symlinks=True)
        _make_readable(partial)
        partial.rename(target)
    return target / package.name / installation.name / "bin"


def _make_readable(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))


def _has_user_entry(user: int) -> bool:
    # Containers often run as an id without an entry in the user database, which initdb and postgres look up.
    try:
        pwd.getpwuid(user)
    except KeyError:
        return False
    return True


def _works(command: Sequence[str]) -> bool:
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL).returncode == 0
