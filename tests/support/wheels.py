"""Builds wheels of the checkout and installs them with their locked requirements into environments of their own."""

import importlib.metadata
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.repository import PROJECT

UV = PROJECT / "var" / "uv" / "bin" / "uv"


def uv(*arguments: str | Path) -> None:
    subprocess.run([str(UV), *map(str, arguments)], check=True, cwd=PROJECT, stdin=subprocess.DEVNULL)


def required_packages(*requirements: str) -> set[str]:
    """The packages that these need, as the metadata of the development environment has them."""
    pending, names = [Requirement(line) for line in requirements], set[str]()
    while pending:
        package = pending.pop()
        for line in importlib.metadata.requires(package.name) or ():
            requirement = Requirement(line)
            extras = {"", *package.extras}
            if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras):
                if canonicalize_name(requirement.name) not in names or requirement.extras:
                    pending.append(requirement)
                names.add(canonicalize_name(requirement.name))
    return names


def locked(names: set[str]) -> str:
    """The entries of the lock file for these packages."""
    blocks = re.split(r"^(?=[a-z0-9])", (PROJECT / "requirements.lock").read_text(encoding="utf-8"), flags=re.MULTILINE)
    return "".join(block for block in blocks if canonicalize_name(block.partition("==")[0]) in names)


def install(python: Path, requirements: Path) -> None:
    """From uv's cache, which `make setup` has filled; from the network only where the cache was emptied since."""
    command: Sequence[str | Path] = ("pip", "sync", "--quiet", "--python", python, "--require-hashes", requirements)
    try:
        uv(*command, "--offline")
    except subprocess.CalledProcessError:
        uv(*command)


def build_wheel(source: Path, folder: Path) -> Path:
    """The wheel of a folder with a pyproject.toml."""
    uv("build", "--quiet", "--wheel", "--offline", "--no-build-isolation", "--python", sys.executable, "-o", folder, source)
    [wheel] = folder.glob("*.whl")
    return wheel


def install_wheel(wheel: Path, environment: Path, packages: set[str]) -> Path:
    """A new environment with these locked packages and the wheel; returns its Python."""
    python, requirements = environment / "bin" / "python", environment.with_suffix(".txt")
    uv("venv", "--quiet", "--python", sys.executable, environment)
    requirements.write_text(locked(packages), encoding="utf-8")
    install(python, requirements)
    uv("pip", "install", "--quiet", "--offline", "--no-deps", "--python", python, wheel)
    uv("pip", "check", "--quiet", "--python", python)
    return python
