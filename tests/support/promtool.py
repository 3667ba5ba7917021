"""Finds Prometheus's promtool, or as root on Debian takes it out of the distribution's package, without installing the server."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.support.repository import PROJECT
from tests.support.servers.session_servers import print_progress

_FOLDER = PROJECT / "var" / "promtool"


def find_promtool() -> Path | None:
    """The path of promtool; None where there is none and it cannot be had."""
    installed = shutil.which("promtool")
    if installed is not None:
        return Path(installed)
    unpacked = _FOLDER / "usr/bin/promtool"
    if not unpacked.exists() and os.geteuid() == 0 and shutil.which("apt-get") is not None and Path("/etc/debian_version").exists():
        print_progress("promtool is missing: taking it out of Debian's package prometheus.")
        _FOLDER.mkdir(parents=True, exist_ok=True)
        # Download and unpack, no installation: the package would start a server at once.
        if not _is_downloaded():
            subprocess.run(["apt-get", "-qq", "update"], stdin=subprocess.DEVNULL, check=False)
            _is_downloaded()
        for package in _FOLDER.glob("prometheus_*.deb"):
            subprocess.run(["dpkg-deb", "--extract", package, _FOLDER], check=True)
            package.unlink()
    return unpacked if unpacked.exists() else None


def _is_downloaded() -> bool:
    # As _apt, apt's own user, it may not write into a folder of root's.
    command = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", "prometheus"]
    return subprocess.run(command, cwd=_FOLDER, stdin=subprocess.DEVNULL, check=False).returncode == 0
