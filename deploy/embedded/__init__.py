"""A real Apache Kafka and a real PostgreSQL on a bare machine, started and stopped with the command that needs them."""

from deploy.embedded.errors import EmbeddedServerError, RootInUseError
from deploy.embedded.kafka.server import KafkaServer
from deploy.embedded.postgres.server import PostgresServer
from deploy.embedded.servers import EmbeddedServers

__all__ = ["EmbeddedServerError", "EmbeddedServers", "KafkaServer", "PostgresServer", "RootInUseError"]
