"""Writes the checksums of the broker's jars after a change of `pom.xml`; part of `make lock`."""

import hashlib
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.embedded.kafka import java
from deploy.embedded.kafka.distribution import CHECKSUMS_FILE, run_maven


def main() -> None:
    """Download the jars, which Maven checks against the repository's checksums, and write the SHA-256 of each."""
    with TemporaryDirectory() as folder:
        run_maven(java.ensure_maven(_print_progress), Path(folder), _print_progress)
        jars = sorted(Path(folder).glob("*.jar"))
        CHECKSUMS_FILE.write_text("".join(f"{hashlib.sha256(jar.read_bytes()).hexdigest()}  {jar.name}\n" for jar in jars))


def _print_progress(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    main()
