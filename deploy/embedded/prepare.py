"""Downloads and prepares Apache Kafka before anything that has a time limit."""

import os
from pathlib import Path

from deploy.embedded.errors import ProgressCallback
from deploy.embedded.kafka import class_archive, distribution, java
from deploy.embedded.kafka.server import JavaRuntime


def kafka_runtime(temporary: Path, progress: ProgressCallback) -> JavaRuntime:
    """Return the runtime of the broker, after downloading what is missing; Java unpacks native libraries into `temporary`."""
    # Java first: a missing one is reported before 44 MB are fetched.
    program = java.ensure_java(progress)
    jars = distribution.ensure_jars(progress)
    return class_archive.runtime_with_class_archive(program, jars, distribution.CACHE_FOLDER, temporary, progress)


def prepare(progress: ProgressCallback) -> None:
    """Download and prepare Apache Kafka, unless KAFKA_BOOTSTRAP_SERVERS names another one."""
    if not os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        kafka_runtime(distribution.CACHE_FOLDER, progress)
