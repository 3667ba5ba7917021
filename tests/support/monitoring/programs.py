"""Finds Prometheus' and Alertmanager's programs, or as root on Debian takes them out of the distribution's packages, without installing."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.repository import PROJECT
from tests.support.servers.session_servers import print_progress

_FOLDER = PROJECT / "var" / "promtool"
_PACKAGES = {
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "amtool": "prometheus-alertmanager",
    "prometheus-alertmanager": "prometheus-alertmanager",
}
"""The Debian package of each program."""


def program(name: str) -> Path:
    """The path of a program; skips the test where there is none and it cannot be had."""
    found = find_program(name)
    if found is None:
        pytest.skip(f"{name} is neither installed nor can it be taken from Debian's package {_PACKAGES[name]} (needs root on Debian)")
    return found


def find_program(name: str) -> Path | None:
    """The path of a program; None where there is none and it cannot be had."""
    installed = shutil.which(name)
    if installed is not None:
        return Path(installed)
    unpacked = _FOLDER / "usr/bin" / name
    if not unpacked.exists() and os.geteuid() == 0 and shutil.which("apt-get") is not None and Path("/etc/debian_version").exists():
        _FOLDER.mkdir(parents=True, exist_ok=True)
        # One worker downloads while the other waits; both share the folder.
        with (_FOLDER / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not unpacked.exists():
                print_progress(f"{name} is missing: taking it out of Debian's package {_PACKAGES[name]}.")
                _unpack(_PACKAGES[name])
    return unpacked if unpacked.exists() else None


def _unpack(package: str) -> None:
    # Download and unpack, no installation: the package would start a server at once.
    if not _is_downloaded(package):
        subprocess.run(["apt-get", "-qq", "update"], stdin=subprocess.DEVNULL, check=False)
        _is_downloaded(package)
    for archive in _FOLDER.glob(f"{package}_*.deb"):
        subprocess.run(["dpkg-deb", "--extract", archive, _FOLDER], check=True)
        archive.unlink()
    # The path of this folder is compiled into Debian's Alertmanager, which does not start without it.
    templates, installed = _FOLDER / "usr/share/prometheus/alertmanager", Path("/usr/share/prometheus/alertmanager")
    if templates.exists() and not installed.exists():
        shutil.copytree(templates, installed)


def _is_downloaded(package: str) -> bool:
    # As _apt, apt's own user, it may not write into a folder of root's.
    command = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", package]
    return subprocess.run(command, cwd=_FOLDER, stdin=subprocess.DEVNULL, check=False).returncode == 0
