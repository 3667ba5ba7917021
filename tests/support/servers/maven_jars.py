"""Fetches the jars of a server for tests with Maven, checked against the checksums beside its pom.xml."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.embedded.errors import EmbeddedServerError
from deploy.embedded.kafka import java
from deploy.embedded.locks import exclusive_lock
from tests.support.repository import PROJECT
from tests.support.servers.session_servers import print_progress

CHECKSUMS = "SHA256SUMS"


def fetch_jars(project: Path) -> list[Path]:
    """The jars of the project's pom.xml; skips the test where they cannot be fetched, fails it for a wrong checksum."""
    expected = (project / CHECKSUMS).read_text()
    cache = PROJECT / "var" / "test-jars"
    folder = cache / f"{project.name}-{hashlib.sha256(expected.encode()).hexdigest()[:12]}"
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with exclusive_lock(cache / "lock", print_progress, f"Another run is fetching {project.name}: waiting for it."):
            if not folder.exists():
                _fetch(project, folder)
    jars = sorted(folder.glob("*.jar"))
    assert checksums(jars) == expected, f"the jars of {project.name} are not those that were reviewed: see {project / CHECKSUMS}"
    return jars


def checksums(jars: list[Path]) -> str:
    """The content of SHA256SUMS for these jars."""
    return "".join(f"{hashlib.sha256(jar.read_bytes()).hexdigest()}  {jar.name}\n" for jar in jars)


def _fetch(project: Path, folder: Path) -> None:
    print_progress(f"Fetching the jars of {project.name} with Maven for tests …")
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        java.ensure_java(print_progress)
        maven = java.ensure_maven(print_progress)
    except EmbeddedServerError as error:
        pytest.skip(str(error))
    options = ["--batch-mode", "--quiet", "--strict-checksums", f"--file={project / 'pom.xml'}", f"-DoutputDirectory={partial}"]
    try:
        done = subprocess.run(
            [maven, *options, "-DincludeScope=runtime", "dependency:copy-dependencies"], capture_output=True, timeout=240, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"{project.name}: Maven did not fetch its jars within 240 s")
    if done.returncode:
        pytest.skip(f"{project.name}: Maven could not fetch its jars")
    partial.rename(folder)
