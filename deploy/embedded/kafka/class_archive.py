"""The archive of the broker's classes, which halves the time of every start; made once by a run of its own."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.embedded.errors import ProgressCallback
from deploy.embedded.kafka.server import JavaRuntime, KafkaServer
from deploy.embedded.locks import exclusive_lock

_FLAGS = (
    "-Xmx256m",
    "-XX:TieredStopAtLevel=1",  # on two cores the optimising compiler takes longer than it saves, see decision 25
    "-XX:+UseSerialGC",
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
)
_SILENT = "-Xlog:disable"


def runtime_with_class_archive(
    java: str, jars: Sequence[Path], cache_folder: Path, temporary: Path, progress: ProgressCallback
) -> JavaRuntime:
    """Return how to run the broker, after making the class archive in `store` if it is missing."""
    plain = JavaRuntime(java, jars, (*_FLAGS, _SILENT, f"-Djava.io.tmpdir={temporary}"))
    archive = cache_folder / f"classes-{_fingerprint(java, jars)}.jsa"
    if not archive.exists():
        with exclusive_lock(cache_folder / "lock", progress, "Another command is preparing Apache Kafka: waiting for it."):
            if not archive.exists():
                progress("Preparing Apache Kafka for quick starts (once, about 10 seconds) …")
                _create_archive(archive, JavaRuntime(java, jars, (*_FLAGS, _SILENT)))
    return replace(plain, flags=(*plain.flags, f"-XX:SharedArchiveFile={archive}"))


def _create_archive(archive: Path, plain: JavaRuntime) -> None:
    """Run a broker on data of its own and let Java archive, at its clean end, the classes it loaded."""
    partial = archive.with_suffix(".partial")
    with TemporaryDirectory(dir=archive.parent) as folder:
        training = KafkaServer(Path(folder), replace(plain, flags=(*plain.flags, f"-XX:ArchiveClassesAtExit={partial}")))
        try:
            training.start()
        finally:
            training.process.stop(seconds=60)
    if not partial.exists():
        partial.touch()  # this Java makes none: starts are slower, and we do not try each time
    partial.rename(archive)


def _fingerprint(java: str, jars: Sequence[Path]) -> str:
    real = Path(java).resolve()
    return hashlib.sha256(f"{real} {real.stat().st_mtime_ns} {jars[0].parent}".encode()).hexdigest()[:12]
