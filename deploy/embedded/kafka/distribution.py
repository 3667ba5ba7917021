"""Downloads Apache Kafka's jars with Maven and checks them against the committed checksums."""

import hashlib
import re
import shutil
import subprocess
from collections import deque
from pathlib import Path

from deploy.checkout import VAR_FOLDER
from deploy.embedded.errors import EmbeddedServerError, ProgressCallback
from deploy.embedded.kafka import java
from deploy.embedded.locks import exclusive_lock

MAVEN_PROJECT = Path(__file__).parent
CHECKSUMS_FILE = MAVEN_PROJECT / "SHA256SUMS"
CACHE_FOLDER = VAR_FOLDER / "kafka"
"""Holds the jars and the class archive, shared by all instances of this checkout or working directory."""
_DOWNLOADED_JAR = re.compile(r"Downloaded from \S+ \S*/([^/\s]+\.jar)")


def ensure_jars(progress: ProgressCallback, cache_folder: Path = CACHE_FOLDER) -> list[Path]:
    """Return the jars of the broker's class path in order, after downloading them if they are missing.

    Raises EmbeddedServerError if Java or Maven is missing, the download fails, or a checksum differs.
    """
    folder = cache_folder / f"jars-{hashlib.sha256(CHECKSUMS_FILE.read_bytes()).hexdigest()[:12]}"
    if not folder.exists():
        with exclusive_lock(cache_folder / "lock", progress, "Another command is fetching Apache Kafka: waiting for it."):
            if not folder.exists():
                _download(folder, progress)
    # In one order: Java rejects a class archive that was made for another class path.
    return [folder / name for name in sorted(expected_checksums())]


def expected_checksums() -> dict[str, str]:
    """Return file name → SHA-256 (hexadecimal) of every jar."""
    return {name: digest for digest, name in (line.split() for line in CHECKSUMS_FILE.read_text().splitlines())}


def _download(folder: Path, progress: ProgressCallback) -> None:
    """Download into a partial folder, check it, and rename it to `folder`."""
    java.ensure_java(progress)
    maven = java.ensure_maven(progress)
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    progress("Fetching Apache Kafka 4.4.0 (45 jars, 44 MB) with Maven …")
    run_maven(maven, partial, progress)
    _verify(partial)
    partial.rename(folder)
    progress("Apache Kafka is complete, every checksum is right.")


def run_maven(maven: str, folder: Path, progress: ProgressCallback) -> None:
    """Copy the jars of `pom.xml` into `folder`; raises EmbeddedServerError, also for a checksum that differs from the repository's."""
    options = ["--batch-mode", "--strict-checksums", f"--file={MAVEN_PROJECT / 'pom.xml'}", f"-DoutputDirectory={folder}"]
    command = [maven, *options, "dependency:copy-dependencies"]
    downloaded = 0
    tail: deque[str] = deque(maxlen=200)
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as child:
        for line in child.stdout or ():
            tail.append(line)
            if _DOWNLOADED_JAR.search(line):
                downloaded += 1
                if downloaded % 20 == 0:
                    progress(f"  {downloaded} files fetched …")
    if child.returncode:
        reason = next((line.strip() for line in tail if "ERROR" in line), "no reason given")
        raise EmbeddedServerError(f"Maven could not fetch Apache Kafka: check the network or Maven's settings. Maven reports: {reason}")


def _verify(folder: Path) -> None:
    for name, digest in expected_checksums().items():
        jar = folder / name
        if not jar.exists():
            raise EmbeddedServerError(f"Maven did not deliver {name}: delete var/kafka and try again.")
        if hashlib.sha256(jar.read_bytes()).hexdigest() != digest:
            raise EmbeddedServerError(
                f"{name} is not the file that was reviewed (see {CHECKSUMS_FILE}): it is not used. Delete var/kafka and try again."
            )
