"""Sends the heartbeats of a process."""

import asyncio
import socket
from collections.abc import Callable
from datetime import datetime

import structlog
from aiokafka.errors import KafkaError

from shared.contracts.operations.heartbeats import STOPPED, Heartbeat, StartReport
from shared.contracts.topics import HEARTBEATS
from shared.runtime.clock import Clock
from shared.runtime.kafka.connection import connection_options
from shared.runtime.kafka.producer import Producer, ProducerRecord
from shared.runtime.process import metrics
from shared.runtime.process.failures import redacted_reason
from shared.runtime.process.health import Health
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.process.waiting import sleep_to_tick

log = structlog.get_logger(__name__)


class HeartbeatSender:
    """Sends the state of this process every `heartbeat_seconds`; `port` is known once the HTTP server listens."""

    def __init__(
        self,
        service: str,
        settings: RuntimeSettings,
        health: Health,
        port: Callable[[], int],
        start_report: Callable[[], StartReport | None],
    ) -> None:
        self._service = service
        self._settings = settings
        self._health = health
        self._port = port
        self._start_report = start_report
        self._started_at: datetime = Clock().real_now()
        self._failed = False

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop` is set, then a last one; one that cannot be sent is logged and not repeated."""
        # Straight to the broker: through the outbox a process whose database hangs would look like one that stands still.
        producer = Producer(connection_options(self._settings), self._settings.send_timeout)
        try:
            while not stop.is_set():
                await self._send(producer, self._beat(self._state()))
                await sleep_to_tick(stop, self._settings.heartbeat_seconds)
            if not self._failed:
                await self._send(producer, self._beat(STOPPED))
        finally:
            await producer.close()

    def _state(self) -> str:
        if not self._health.started:
            return "starting"
        if not self._health.is_ready:
            return "not_ready"
        return "degraded" if self._health.is_degraded else "ready"

    def _beat(self, state: str) -> Heartbeat:
        return Heartbeat(
            service=self._service,
            process=f"{socket.gethostname()}:{self._port()}",
            started_at=self._started_at,
            sent_at=Clock().real_now(),
            interval_seconds=self._settings.heartbeat_seconds,
            state=state,
            reasons=tuple(reason.component for reason in self._health.reasons()),
            stalled=tuple(self._health.stalled()),
            start=self._start_report(),
        )

    async def _send(self, producer: Producer, beat: Heartbeat) -> None:
        key = f"{beat.service} {beat.process}".encode()
        record: ProducerRecord = (f"{self._settings.topic_prefix}{HEARTBEATS.name}", key, beat.model_dump_json().encode(), [])
        try:
            [outcome] = await producer.send([record])
        except (KafkaError, OSError, TimeoutError) as error:
            outcome = error
        if outcome is not None:
            metrics.HEARTBEATS_FAILED.inc()
            # Once, and no trouble of the process: what heartbeats are for goes on without them, and /ready names the broker.
            if not self._failed:
                log.warning("heartbeats cannot be sent", topic=HEARTBEATS.name, reason=redacted_reason(outcome))
        self._failed = outcome is not None
