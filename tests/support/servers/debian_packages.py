"""Installs programs that tests run beside the product, as root on Debian; elsewhere their tests are skipped with the reason."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

from tests.support.repository import PROJECT
from tests.support.servers.session_servers import print_progress


def why_not_available(program: str, package: str) -> str:
    """Why the program cannot run here, empty if it can; installs the package where root may."""
    if shutil.which(program) is None and os.geteuid() == 0 and Path("/etc/debian_version").exists():
        # One at a time: apt-get does not wait for another process's lock.
        with (PROJECT / "var" / "apt.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if shutil.which(program) is None:
                _install(program, package)
    return "" if shutil.which(program) else f"{program} is not installed: apt-get install {package} (tests do so as root on Debian)"


def _install(program: str, package: str) -> None:
    print_progress(f"{program} is missing: installing {package} with apt-get.")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # --no-remove: a test must not change what is installed.
    for command in (["update"], ["install", "--yes", "--no-install-recommends", "--no-remove", package]):
        subprocess.run(["apt-get", "-qq", *command], check=False, capture_output=True, env=environment)
