"""Java and Maven: found, or installed where that is ours to do."""

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from deploy.embedded.errors import EmbeddedServerError, ProgressCallback

OLDEST = 17
"""The first Java that runs an Apache Kafka 4 broker."""
_PACKAGES = {"java": ("openjdk-17-jre-headless", "default-jre-headless"), "mvn": ("maven",)}
_NAMES = {"java": f"Java {OLDEST} or newer", "mvn": "Maven"}


def ensure_java(progress: ProgressCallback) -> str:
    """Path of a Java that can run the broker; raises `EmbeddedServerError` with the remedy when there is none."""
    home = os.environ.get("JAVA_HOME")
    for candidate in (f"{home}/bin/java" if home else None, shutil.which("java")):
        if candidate and _java_version(candidate) >= OLDEST:
            return candidate
    _install("java", progress)
    found = shutil.which("java")
    if found is None or _java_version(found) < OLDEST:
        raise EmbeddedServerError(_remedy("java"))
    return found


def ensure_maven(progress: ProgressCallback) -> str:
    """Path of Maven; raises `EmbeddedServerError` with the remedy when there is none."""
    found = shutil.which("mvn")
    if found is None:
        _install("mvn", progress)
        found = shutil.which("mvn")
    if found is None:
        raise EmbeddedServerError(_remedy("mvn"))
    return found


@cache
def _java_version(path: str) -> int:
    try:
        answer = subprocess.run([path, "-version"], capture_output=True, text=True, check=False).stderr
    except OSError:
        return 0
    match = re.search(r'version "(?:1\.)?(\d+)', answer)
    return int(match[1]) if match else 0


def _install(command: str, progress: ProgressCallback) -> None:
    if os.geteuid() != 0 or not _is_debian() or shutil.which("apt-get") is None:
        raise EmbeddedServerError(_remedy(command))
    progress(f"{_NAMES[command]} is missing: installing {_PACKAGES[command][0]} with apt-get.")
    _apt_get("update")
    if not any(_install_package(package) for package in _PACKAGES[command]):
        raise EmbeddedServerError(_remedy(command))


def _install_package(package: str) -> bool:
    """Install a package; False where apt-get cannot, or only by an upgrade or removal of what is installed."""
    install = ("install", "--yes", "--no-install-recommends", "--no-remove", package)
    plan = subprocess.run(["apt-get", "-qq", "--simulate", *install], capture_output=True, text=True, check=False)
    return plan.returncode == 0 and not _upgrades(plan.stdout) and _apt_get(*install)


def _upgrades(plan: str) -> list[str]:
    """The installed packages that a simulated run would replace: apt-get shows their present version in brackets."""
    return re.findall(r"^Inst (\S+) \[", plan, re.MULTILINE)


def _is_debian() -> bool:
    return Path("/etc/debian_version").exists()


def _apt_get(*words: str) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(["apt-get", "-qq", *words], stdin=subprocess.DEVNULL, check=False, env=environment).returncode == 0


def _remedy(command: str) -> str:
    how = f"install it (Debian or Ubuntu: apt-get install {_PACKAGES[command][0]})"
    return f"{_NAMES[command]} is missing: {how}, or set KAFKA_BOOTSTRAP_SERVERS to use your own Kafka."
