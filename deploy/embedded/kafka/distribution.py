"""Apache Kafka's jars: fetched by Maven, checked against the committed sums, their classes archived for a quick start."""

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
"""Where the jars and the class archive are kept, for every instance of this checkout or working directory."""
_FETCHED = re.compile(r"Downloaded from \S+ \S*/([^/\s]+\.jar)")


def ensure_jars(progress: ProgressCallback, cache_folder: Path = CACHE_FOLDER) -> list[Path]:
    """Return the broker's class path, in order, fetching what is missing.

    Raises `EmbeddedServerError` when Java or Maven is missing, the download fails, or a jar is not the one that was reviewed.
    """
    sums = expected_checksums()
    folder = cache_folder / f"jars-{hashlib.sha256(CHECKSUMS_FILE.read_bytes()).hexdigest()[:12]}"
    if not folder.exists():
        with exclusive_lock(cache_folder / "lock", progress, "Another command is fetching Apache Kafka: waiting for it."):
            if not folder.exists():
                _fetch(folder, progress)
    return [folder / name for name in sorted(sums)]


def expected_checksums() -> dict[str, str]:
    """Return the SHA-256 (hexadecimal) of every jar by its file name."""
    return {name: digest for digest, name in (line.split() for line in CHECKSUMS_FILE.read_text().splitlines())}


def _fetch(folder: Path, progress: ProgressCallback) -> None:
    """Fill `folder`, which appears only when it is complete and checked."""
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
    """Copy the recipe's jars into `folder`, refusing any whose checksum differs from the repository's."""
    options = ["--batch-mode", "--strict-checksums", f"--file={MAVEN_PROJECT / 'pom.xml'}", f"-DoutputDirectory={folder}"]
    command = [maven, *options, "dependency:copy-dependencies"]
    fetched = 0
    tail: deque[str] = deque(maxlen=200)
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as child:
        for line in child.stdout or ():
            tail.append(line)
            if _FETCHED.search(line):
                fetched += 1
                if fetched % 20 == 0:
                    progress(f"  {fetched} files fetched …")
    if child.returncode:
        reason = next((line.strip() for line in tail if "ERROR" in line), "no reason given")
        raise EmbeddedServerError(f"Maven could not fetch Apache Kafka: check the network or Maven's settings. It says: {reason}")


def _verify(folder: Path) -> None:
    for name, digest in expected_checksums().items():
        jar = folder / name
        if not jar.exists():
            raise EmbeddedServerError(f"Maven did not deliver {name}: delete var/kafka and try again.")
        if hashlib.sha256(jar.read_bytes()).hexdigest() != digest:
            raise EmbeddedServerError(f"{name} is not the file that was reviewed (see {CHECKSUMS_FILE}): it is not used. Fetch it anew.")
