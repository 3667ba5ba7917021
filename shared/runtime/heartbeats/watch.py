"""The heartbeats of one process, and the report of its start."""

from collections.abc import Callable
from functools import partial

from shared.contracts.operations.heartbeats import StartReport
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database
from shared.runtime.heartbeats.listener import HeartbeatListener
from shared.runtime.heartbeats.sender import HeartbeatSender
from shared.runtime.heartbeats.start_report import StartReporter
from shared.runtime.process.health import Health
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.process.supervision import BackgroundLoop
from shared.runtime.subscription.subscription import Subscription


class Watch:
    """Sends and reads heartbeats unless the settings switch them off; `port` is that of the HTTP server, once it listens."""

    def __init__(
        self, service: str, settings: RuntimeSettings, health: Health, database: Database, clock: Clock, port: Callable[[], int]
    ) -> None:
        self.reporter = StartReporter(database, clock)
        self._is_on = settings.heartbeat_seconds > 0
        self._sender = HeartbeatSender(service, settings, health, port, self._report)
        self._listener = HeartbeatListener(settings)

    def loops(self, subscription: Subscription | None) -> dict[str, BackgroundLoop]:
        """The background loops by name; without an input there is nothing to catch up with."""
        loops: dict[str, BackgroundLoop] = {"heartbeats": self._sender.run, "peers": self._listener.run} if self._is_on else {}
        return loops if subscription is None else loops | {"catching-up": partial(self.reporter.catch_up, subscription)}

    def _report(self) -> StartReport | None:
        return self.reporter.report
