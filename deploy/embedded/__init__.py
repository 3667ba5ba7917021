"""Starts a real Apache Kafka and a real PostgreSQL for the length of a command, on a machine without a container engine."""

from deploy.embedded.errors import EmbeddedServerError, RootInUseError
from deploy.embedded.kafka.server import KafkaServer
from deploy.embedded.postgres.server import PostgresServer
from deploy.embedded.servers import EmbeddedServers

__all__ = ["EmbeddedServerError", "EmbeddedServers", "KafkaServer", "PostgresServer", "RootInUseError"]
