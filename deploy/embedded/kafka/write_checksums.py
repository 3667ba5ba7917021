"""Writes the checksums of the broker's jars anew, after a change of `kafka/pom.xml`; part of `make lock`."""

import hashlib
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.embedded.kafka import java
from deploy.embedded.kafka.distribution import SUMS, run_maven


def main() -> None:
    """Fetch what the recipe asks for, checked by Maven against the repository's checksums, and note each SHA-256."""
    with TemporaryDirectory() as folder:
        run_maven(java.maven(_tell), Path(folder), _tell)
        jars = sorted(Path(folder).glob("*.jar"))
        SUMS.write_text("".join(f"{hashlib.sha256(jar.read_bytes()).hexdigest()}  {jar.name}\n" for jar in jars))


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    main()
