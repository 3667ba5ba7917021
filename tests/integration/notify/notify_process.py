"""notify without Kafka: the test records requests, runs cycles and reads events from the outbox."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr

from services.notify import bootstrap
from services.notify.application.carried_outcomes import PublishCarriedOutcomes
from services.notify.application.delivery_receipts import RecordReceipts
from services.notify.application.delivery_requests import PlanDeliveries
from services.notify.application.delivery_sending import SendDeliveries
from services.notify.application.digest_closing import CloseDigests
from services.notify.config import NotifySettings
from services.notify.domain.retry_policy import RetryPolicy
from services.notify.providers.pool import ChannelPool
from services.notify.providers.pool_building import sole_providers
from services.notify.providers.provider import Provider
from services.notify.storage.deliveries import DeliveryRow
from shared.contracts.events.notifications import NotificationRequested
from shared.contracts.topics import CASE_EVENTS
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database
from shared.runtime.encryption import EncryptionKeyRing
from tests.support.messaging.cloud_events import received_record
from tests.support.messaging.sample_organisation import ENCRYPTION_KEYS

RECEIPT_SECRET = SecretStr("receipts")
KEY_RING = EncryptionKeyRing.parse(ENCRYPTION_KEYS)
ORGANISATION = """
id: demo
people:
  - {id: li, name: 李四, email: li@example.com, phone: "13800000001"}
  - {id: wu, name: 吴六, email: nobody@example.com, phone: "13800000550", language: en}
  - {id: he, name: 何七}
"""
CONTACT = {"name": "王先生", "phone": "13900000000", "email": "wang@example.org"}
PERSONAL_DATA = ("li@example.com", "nobody@example.com", "13800000001", "13800000550", "13900000000", "wang@example.org", "王先生", "李四")


def notification_request(case: str = "c1", **fields: Any) -> NotificationRequested:
    defaults = {"recipients": ["supervisor"], "persons": ["li"], "by": ["email"], "about": "reminded", "clause": "3.6"}
    event = NotificationRequested(case=case, at=datetime(2026, 9, 24, tzinfo=UTC), **(defaults | fields))
    if "complainant" in event.recipients and event.contact is None:
        return event.model_copy(update={"contact": KEY_RING.encrypt(CONTACT, case)})
    return event


class NotifyProcess:
    """The database and providers of one notify process."""

    def __init__(
        self,
        settings: NotifySettings,
        database: Database,
        providers: Sequence[Provider] | None = None,
        lane_share: int = 100,
        clock: Clock | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self.database = database
        self.providers = bootstrap.configured_providers(settings, self.clock) if providers is None else list(providers)
        channels = frozenset(provider.channel for provider in self.providers)
        policy = RetryPolicy(settings.delivery_retry_first, settings.delivery_retry_longest, settings.delivery_attempts)
        context = bootstrap.planning_context(settings, channels)
        self.requests = PlanDeliveries(context, KEY_RING, self.clock)
        self.digests = CloseDigests(database, context.templates, self.clock)
        self.carried = PublishCarriedOutcomes(database)
        self.senders = {
            provider.channel: SendDeliveries(provider, KEY_RING, self.clock, policy, lane_share, context.quiet_hours)
            for provider in self.providers
        }
        pools = [provider for provider in self.providers if isinstance(provider, ChannelPool)]
        self.receipts = RecordReceipts(database, self.clock, sole_providers(pools))

    async def record_requests(self, *events: NotificationRequested) -> None:
        async with self.database.transaction() as tx:
            await self.requests.record(tx, [received_record(CASE_EVENTS, event, "sla") for event in events])

    async def claim(self, channel: str = "email", lease: float = 60, limit: int = 100) -> Sequence[DeliveryRow]:
        async with self.database.transaction() as tx:
            now = self.clock.real_now()
            return await self.senders[channel].claim(tx, limit, now, now + timedelta(seconds=lease))

    async def send(self, rows: Sequence[DeliveryRow], channel: str = "email") -> list[tuple[DeliveryRow, Any]]:
        return [(row, await self.senders[channel].attempt(row)) for row in rows]

    async def settle(self, done: Sequence[tuple[DeliveryRow, Any]], channel: str = "email") -> None:
        async with self.database.transaction() as tx:
            await self.senders[channel].settle(tx, done)

    async def run_cycle(self, channel: str = "email") -> int:
        rows = await self.claim(channel)
        await self.settle(await self.send(rows, channel), channel)
        return len(rows)

    async def publish_carried(self) -> int:
        """Publish the outcomes of all carried requests; returns in how many transactions."""
        batches = 0
        while await self.carried.publish_next() is not None:
            batches += 1
        return batches

    async def delivery_rows(self) -> list[dict[str, Any]]:
        async with self.database.transaction() as tx:
            return [dict(row) for row in await tx.fetch("SELECT * FROM delivery ORDER BY created_at, id")]

    async def outbox_events(self) -> list[dict[str, Any]]:
        """The fields of each event in the outbox, and its type without `notification_`."""
        async with self.database.transaction() as tx:
            rows = await tx.fetch("SELECT unnest(headers) AS headers, unnest(bodies) AS body FROM outbox ORDER BY id")
        return [
            {"type": dict(json.loads(row["headers"]))["ce_type"].removeprefix("notification_")} | json.loads(row["body"]) for row in rows
        ]

    async def close(self) -> None:
        for provider in self.providers:
            await provider.close()


def outcomes(events: list[dict[str, object]]) -> list[tuple[object, ...]]:
    """Type, recipient, channel, attempts and reason of each event."""
    return [(event["type"], event["recipient"], event["channel"], event["attempts"], event.get("reason", "")) for event in events]
