"""A connection to a broker that reports a transport which was closed under it as a broken connection."""

import aiokafka.conn
from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError


class BrokerConnection(AIOKafkaConnection):  # type: ignore[misc]
    """uvloop raises RuntimeError for a write to a closed transport, asyncio nothing.

    aiokafka knows OSError alone: the RuntimeError ended the task that keeps the member in its consumer group, and the consumer read
    nothing from then on.
    """

    def send(self, request, expect_response=True):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201 - as aiokafka's
        """Send a request; raises KafkaConnectionError also for a closed transport."""
        try:
            return super().send(request, expect_response)
        except RuntimeError as error:
            self.close(reason=CloseReason.CONNECTION_BROKEN)
            raise KafkaConnectionError(f"Connection at {self.host}:{self.port} broken: {error}") from error


def use_broker_connection() -> None:
    """Let every client of aiokafka in this process connect by `BrokerConnection`."""
    # `create_conn`, by which all clients connect, takes the class from here.
    aiokafka.conn.AIOKafkaConnection = BrokerConnection
