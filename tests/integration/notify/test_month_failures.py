"""The messages that failed within a month are counted by channel and reason."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY

from services.notify import metrics
from services.notify.timers import DeliveryMaintenance
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database
from shared.runtime.process.measured_gauge import Tenure
from shared.runtime.process.settings import RuntimeSettings
from tests.support.messaging.settings import SettingsFactory

_DELIVERY = """
INSERT INTO delivery (id, case_id, notification, recipient, channel, template, because, status, due_at, address, subject, text, reason,
    first_due_at, settled_at)
VALUES ($1, 'c', 'n', 'r', 'sms', 't', '{}', $2, now(), '', '', '', $3, now(), $4)
"""


@pytest.fixture
async def database(make_settings: SettingsFactory) -> AsyncIterator[Database]:
    database = Database(make_settings(RuntimeSettings), "notify")
    yield database
    await database.close()


async def test_failed_messages_of_a_month_are_counted_without_the_providers_code(database: Database) -> None:
    now = Clock().real_now()
    rows = (("failed", "refused: 422", 1), ("failed", "refused: 1002", 29), ("failed", "no_address", 2))
    others = (("failed", "refused: 422", 31), ("sent", "", 1), ("failed", "what no version of ours writes", 3))
    async with database.transaction() as tx:
        for status, reason, days in (*rows, *others):
            await tx.execute(_DELIVERY, uuid4(), status, reason, now - timedelta(days=days))
        await DeliveryMaintenance(database, Clock(), timedelta(days=90)).measure_failures(tx)
    metrics.MONTH_FAILED.hold(Tenure(float("inf")), 60)
    exported = {
        reason: REGISTRY.get_sample_value("jiesu_notify_month_failed_messages", {"channel": "sms", "reason": reason})
        for reason in ("refused", "no_address", "other")
    }
    assert exported == {"refused": 2, "no_address": 1, "other": 1}
