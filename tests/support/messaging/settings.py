"""Settings of any service for one test: its servers, its topic prefix, short poll intervals."""

from dataclasses import dataclass
from typing import Any, TypeVar

from shared.runtime.process.settings import RuntimeSettings

S = TypeVar("S", bound=RuntimeSettings)


@dataclass(frozen=True)
class SettingsFactory:
    """Makes the settings of services that share the servers and topics of one test."""

    bootstrap_servers: str
    database_url: str
    topic_prefix: str

    def __call__(self, settings_type: type[S], **options: Any) -> S:
        """Settings of a service; `options` replace or add values."""
        values: dict[str, Any] = {
            "environment": "test",
            "kafka_bootstrap_servers": self.bootstrap_servers,
            "database_url": self.database_url,
            "topic_prefix": self.topic_prefix,
            "clock_tolerance_ms": 0,
            "outbox_poll_ms": 50,
            "timer_poll_ms": 50,
            "heartbeat_seconds": 0,
        }
        return settings_type(**(values | options))
