"""Root file systems of containers, mounted in a namespace of their own; the base image is this machine's Debian and Python.

A `debootstrap` of a minimal Debian takes 76 s here, in every fresh clone of CI again. `/usr` and the Python of the virtual environment
are therefore mounted from this machine, read-only; all else, such as `/etc/passwd`, `/opt`, `/var` and the home, is the container's own.
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PYTHON_HOME = Path(sys.base_prefix)
BASE_PATH = f"{PYTHON_HOME}/bin:/opt/python/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
UNSHARE = "/usr/bin/unshare"
_MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_FROM_HOST = ("ssl", "ca-certificates", "alternatives", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "login.defs", "pam.d", "security")
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_ACCOUNTS = {
    "passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "group": "root:x:0:\nnogroup:x:65534:\n",
    "shadow": "root:*:19000:0:99999:7:::\n",
    "gshadow": "root:*::\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}


@dataclass(frozen=True)
class Mount:
    """A file or folder of this machine at a path of the container; a folder `upper` collects writes beside an unchanged source."""

    source: Path
    target: str
    read_only: bool = True
    upper: Path | None = None


@dataclass(frozen=True)
class RootFiles:
    """The container's own files in `folder`, and what is mounted into them."""

    folder: Path
    mounts: list[Mount] = field(default_factory=list)

    def script(self, *, read_only: bool = False, temporary: Iterable[str] = ()) -> str:
        """Shell commands that mount everything; they are run in a mount namespace of their own."""
        root = shlex.quote(str(self.folder))
        lines = ["set -e", f"mount --bind {root} {root}"]
        for mount in self.mounts:
            lines += _mount_lines(mount, self.folder)
        lines.append(f"mount -t proc proc {root}/proc")
        if read_only:
            lines.append(f"mount -o remount,bind,ro {root}")
        lines.append(f"mount -t tmpfs -o mode=1777,size=64m tmpfs {root}/dev/shm")
        # As Docker does: a tmpfs is 1777, whoever the user is.
        lines += [f"mount -t tmpfs -o mode=1777,nosuid,nodev,noexec tmpfs {root}{target}" for target in temporary]
        return "\n".join(lines)

    def prepare(self, temporary: Iterable[str] = ()) -> None:
        """Create the places that are mounted on, while the root can be written."""
        for mount in self.mounts:
            _create_place(self.folder, mount)
        for target in temporary:
            (self.folder / target.lstrip("/")).mkdir(parents=True, exist_ok=True)


def why_no_containers() -> str:
    """Why no root file system can be mounted here, empty if it can."""
    if os.geteuid() != 0:
        return "containers are imitated with mounts and namespaces: run the tests as root on Linux"
    for program in ("unshare", "nsenter", "setpriv", "mount", "ip"):
        if shutil.which(program) is None:
            return f"{program} is not installed: apt-get install util-linux iproute2"
    probe = (
        "mount -t tmpfs t /mnt && mkdir /mnt/u /mnt/w /mnt/m && mount -t overlay o -o lowerdir=/usr,upperdir=/mnt/u,workdir=/mnt/w /mnt/m"
    )
    probe += " && ip link add name bridge0 type bridge && ip link add name left0 type veth peer name right0"
    done = subprocess.run([UNSHARE, "--mount", "--net", "sh", "-c", probe], capture_output=True, text=True, check=False)
    return f"this machine allows no mounts or networks of one's own: {done.stderr.strip()}" if done.returncode else ""


def base_image(folder: Path) -> RootFiles:
    """A minimal root in `folder`: accounts, devices, this machine's `/usr`, its certificates and the Python of the environment."""
    for name in ("etc", "dev/shm", "proc", "tmp", "root", "opt", "usr", "var/lib", "var/tmp", "run"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "var/run").symlink_to("../run")  # relative: mounts are made from outside
    for name in ("tmp", "var/tmp"):
        (folder / name).chmod(0o1777)
    for name, text in _ACCOUNTS.items():
        (folder / "etc" / name).write_text(text)
    mounts = [Mount(Path("/usr"), "/usr")]
    for name in _MERGED:
        host = Path("/", name)
        if host.is_symlink():
            (folder / name).symlink_to(host.readlink())
        elif host.exists():
            mounts.append(Mount(host, f"/{name}"))
    mounts += [Mount(Path("/etc", name), f"/etc/{name}") for name in _FROM_HOST if Path("/etc", name).exists()]
    mounts += [Mount(Path("/dev", name), f"/dev/{name}", read_only=False) for name in _DEVICES]
    return RootFiles(folder, mounts + python_mounts(folder))


def python_mounts(folder: Path) -> list[Mount]:
    """Mount the Python at its own path, and give it the names of the official image in `/opt/python/bin`."""
    programs = folder / "opt/python/bin"
    programs.mkdir(parents=True, exist_ok=True)
    for name in ("python", "python3"):
        (programs / name).unlink(missing_ok=True)
        (programs / name).symlink_to(PYTHON_HOME / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}")
    return [] if str(PYTHON_HOME) == "/usr" else [Mount(PYTHON_HOME, str(PYTHON_HOME))]


def run_in(root: RootFiles, command: list[str], environment: Mapping[str, str], folder: str = "/", **options: Any) -> None:
    """Run a command of an image's build as root, with this machine's network; raises AssertionError with its output if it fails."""
    root.prepare()
    # The folder is entered by the shell: chroot itself starts in the new root.
    inner = f"cd {folder} && exec {shlex.join(command)}"
    script = f"{root.script()}\nexec chroot {shlex.quote(str(root.folder))} /bin/sh -c {shlex.quote(inner)}"
    done = subprocess.run(
        [UNSHARE, "--mount", "--pid", "--fork", "--kill-child", "/bin/sh", "-c", script],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        **options,
    )
    assert done.returncode == 0, f"{shlex.join(command)} ended with {done.returncode}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


def _mount_lines(mount: Mount, folder: Path) -> list[str]:
    target = shlex.quote(f"{folder}{mount.target}")
    source = shlex.quote(str(mount.source))
    if mount.upper is not None:
        work = mount.upper.with_name(f"{mount.upper.name}.work")
        return [
            f"mkdir -p {work} {mount.upper}",
            f"mount -t overlay overlay -o lowerdir={source},upperdir={mount.upper},workdir={work} {target}",
        ]
    lines = [f"mount --rbind {source} {target}"]
    return [*lines, f"mount -o remount,bind,ro {target}"] if mount.read_only else lines


def _create_place(folder: Path, mount: Mount) -> None:
    place = folder / mount.target.lstrip("/")
    if mount.source.is_dir():
        place.mkdir(parents=True, exist_ok=True)
    elif not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
