"""Finds Java and Maven, and installs them with apt-get when run as root on Debian or Ubuntu."""

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from deploy.embedded.errors import EmbeddedServerError, ProgressCallback

OLDEST = 17
"""The first version of Java that runs an Apache Kafka 4 broker."""
_PACKAGES = {"java": ("openjdk-17-jre-headless", "default-jre-headless"), "mvn": ("maven",)}
_NAMES = {"java": f"Java {OLDEST} or newer", "mvn": "Maven"}


def ensure_java(progress: ProgressCallback) -> str:
    """Return the path of a Java that can run the broker, installing one if needed; raises EmbeddedServerError."""
    home = os.environ.get("JAVA_HOME")
    for candidate in (f"{home}/bin/java" if home else None, shutil.which("java")):
        if candidate and _java_version(candidate) >= OLDEST:
            return candidate
    _install("java", progress)
    java = shutil.which("java")
    if java is None or _java_version(java) < OLDEST:
        raise EmbeddedServerError(_remedy("java"))
    return java


def ensure_maven(progress: ProgressCallback) -> str:
    """Return the path of Maven, installing it if needed; raises EmbeddedServerError."""
    maven = shutil.which("mvn")
    if maven is None:
        _install("mvn", progress)
        maven = shutil.which("mvn")
    if maven is None:
        raise EmbeddedServerError(_remedy("mvn"))
    return maven


@cache
def _java_version(path: str) -> int:
    try:
        output = subprocess.run([path, "-version"], capture_output=True, text=True, check=False).stderr  # Java prints it there
    except OSError:
        return 0
    match = re.search(r'version "(?:1\.)?(\d+)', output)  # `1.8` was the form up to Java 8
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


def _apt_get(*arguments: str) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(["apt-get", "-qq", *arguments], stdin=subprocess.DEVNULL, check=False, env=environment).returncode == 0


def _remedy(command: str) -> str:
    remedy = f"install it (Debian or Ubuntu: apt-get install {_PACKAGES[command][0]})"
    return f"{_NAMES[command]} is missing: {remedy}, or set KAFKA_BOOTSTRAP_SERVERS to use your own Kafka."
