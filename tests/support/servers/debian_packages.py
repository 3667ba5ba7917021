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


def unpacked_program(program: str, package: str) -> Path | None:
    """The program on the PATH, else as root on Debian out of the package, which is not installed: it might start a server at once."""
    if installed := shutil.which(program):
        return Path(installed)
    folder = PROJECT / "var" / "debian" / package
    unpacked = folder / "usr/bin" / program
    if not unpacked.exists() and os.geteuid() == 0 and Path("/etc/debian_version").exists():
        print_progress(f"{program} is missing: taking it out of Debian's package {package}.")
        folder.mkdir(parents=True, exist_ok=True)
        # As _apt, apt's own user, it may not write into a folder of root's.
        for command in (["update"], ["-o", "APT::Sandbox::User=root", "download", package]):
            subprocess.run(["apt-get", "-qq", *command], cwd=folder, check=False, capture_output=True)
        for archive in folder.glob("*.deb"):
            subprocess.run(["dpkg-deb", "--extract", archive, folder], check=True)
            archive.unlink()
    return unpacked if unpacked.exists() else None


def _install(program: str, package: str) -> None:
    print_progress(f"{program} is missing: installing {package} with apt-get.")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # --no-remove: a test must not change what is installed.
    for command in (["update"], ["install", "--yes", "--no-install-recommends", "--no-remove", package]):
        subprocess.run(["apt-get", "-qq", *command], check=False, capture_output=True, env=environment)
