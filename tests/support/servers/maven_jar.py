"""Fetches a jar that only tests need with Maven, and checks it against the committed checksum."""

import hashlib
import shutil
import subprocess
from pathlib import Path

from deploy.checkout import VAR_FOLDER
from deploy.embedded.errors import EmbeddedServerError
from deploy.embedded.kafka import java
from deploy.embedded.locks import exclusive_lock
from tests.support.servers.session_servers import print_progress

_TIMEOUT_SECONDS = 240


def fetch_jar(project: Path) -> Path:
    """The jar of a folder with `pom.xml` and `SHA256SUMS`, downloaded once a checkout; raises `EmbeddedServerError`."""
    digest, name = (project / "SHA256SUMS").read_text().split()
    folder = VAR_FOLDER / "test-jars"
    jar = folder / f"{digest[:12]}-{name}"
    if not jar.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with exclusive_lock(folder / "lock", print_progress, f"Another run is fetching {name}: waiting for it."):
            if not jar.exists():
                _download(project, name, digest, jar)
    return jar


def _download(project: Path, name: str, digest: str, jar: Path) -> None:
    print_progress(f"Fetching {name} with Maven …")
    partial = jar.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    command = [java.ensure_maven(print_progress), "--batch-mode", "--strict-checksums", f"--file={project / 'pom.xml'}"]
    command += [f"-DoutputDirectory={partial}", "dependency:copy-dependencies"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_SECONDS)
    fetched = partial / name
    if run.returncode or not fetched.exists():
        reason = next((line.strip() for line in run.stdout.splitlines() if "ERROR" in line), "no reason given")
        raise EmbeddedServerError(f"Maven could not fetch {name}: check the network or Maven's settings. Maven reports: {reason}")
    if hashlib.sha256(fetched.read_bytes()).hexdigest() != digest:
        raise EmbeddedServerError(f"{name} is not the file that was reviewed (see {project / 'SHA256SUMS'}): it is not used.")
    fetched.rename(jar)
    shutil.rmtree(partial)
