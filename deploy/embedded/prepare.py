"""Fetches and prepares the embedded Kafka, ahead of anything with a time limit."""

import os
from pathlib import Path

from deploy.embedded.errors import Progress
from deploy.embedded.kafka import class_archive, distribution, java
from deploy.embedded.kafka.server import JavaRuntime


def kafka_runtime(temporary: Path, progress: Progress) -> JavaRuntime:
    """Return how to run the broker, whose native libraries unpack into `temporary`, after fetching what is missing."""
    jars = distribution.jars(progress)
    return class_archive.runtime(java.java(progress), jars, distribution.STORE, temporary, progress)


def prepare(progress: Progress) -> None:
    """Fetch and prepare everything, unless the user's own Kafka is used."""
    if not os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        kafka_runtime(distribution.STORE, progress)
