"""Creates Java's archive of the broker's classes (class data sharing), which halves the time of every later start."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.embedded.errors import ProgressCallback
from deploy.embedded.kafka.server import JavaRuntime, KafkaServer
from deploy.embedded.locks import exclusive_lock

_FLAGS = (
    # A whole test run makes thousands of topics with 24 partitions each: with 256 MB the broker ended out of memory,
    # with 512 MB it found no time to elect leaders. A demo uses a fifth of it.
    "-Xmx1g",
    "-XX:TieredStopAtLevel=1",  # on two cores the optimising compiler takes longer than it saves
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
    """Return the runtime of the broker, after creating the class archive in `cache_folder` if it is missing."""
    runtime = JavaRuntime(java, jars, (*_FLAGS, _SILENT, f"-Djava.io.tmpdir={temporary}"))
    archive = cache_folder / f"classes-{_fingerprint(java, jars)}.jsa"
    if not archive.exists():
        with exclusive_lock(cache_folder / "lock", progress, "Another command is preparing Apache Kafka: waiting for it."):
            if not archive.exists():
                progress("Preparing Apache Kafka for quick starts (once, about 10 seconds) …")
                _create_archive(archive, JavaRuntime(java, jars, (*_FLAGS, _SILENT)))
    return replace(runtime, flags=(*runtime.flags, f"-XX:SharedArchiveFile={archive}"))


def _create_archive(archive: Path, runtime: JavaRuntime) -> None:
    """Run a broker on temporary data; Java archives the classes that it loaded when it exits cleanly."""
    partial = archive.with_suffix(".partial")
    with TemporaryDirectory(dir=archive.parent) as folder:
        broker = KafkaServer(Path(folder), replace(runtime, flags=(*runtime.flags, f"-XX:ArchiveClassesAtExit={partial}")))
        try:
            broker.start()
        finally:
            broker.process.stop(seconds=60)
    if not partial.exists():
        partial.touch()  # a Java without class data sharing: an empty file keeps later starts from trying again
    partial.rename(archive)


def _fingerprint(java: str, jars: Sequence[Path]) -> str:
    # Java rejects an archive that another build of it made, or that lists jars at another path.
    program = Path(java).resolve()
    return hashlib.sha256(f"{program} {program.stat().st_mtime_ns} {jars[0].parent}".encode()).hexdigest()[:12]
