"""The conditions for which loops wait: false while there is nothing to do, and true once another process has added it."""

import pytest

from services.notify.storage.carried_news import HAS_NEWS
from services.notify.storage.deliveries import due_condition
from services.notify.storage.digests import HAS_DUE_DIGESTS
from services.triage.storage.recounts import HAS_WAITING
from shared.runtime.database.database import Database
from shared.runtime.outbox.relay import HAS_MESSAGES
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.processing.redelivery import HAS_REQUESTS

_DELIVERY = """
INSERT INTO delivery (id, case_id, notification, recipient, channel, template, because, status, due_at, first_due_at, priority,
    address, subject, text, reason)
VALUES (gen_random_uuid(), 'c1', 'n1', 'li', '{channel}', '', '', '{status}', now() + {due}, now(), {priority}, '', '', '', '')
"""
_MESSAGE = "INSERT INTO outbox (shard, topic, messages, keys, headers, bodies) VALUES (0, 't', 1, '{}', '{}', '{}')"
_DEAD_LETTER = """
INSERT INTO dead_letter (topic, partition, kafka_offset, key, headers, timestamp_ms, timestamp_type, reason)
VALUES ('t', 0, 0, 'k', '[]', 0, 0, 'r')
"""
_NEWS = "INSERT INTO carried_news (carrier, status, at, reason) VALUES (gen_random_uuid(), 'sent', now(), '')"
_POSITION = "INSERT INTO recount_position VALUES ('p', 0)"
_CHANGE = "INSERT INTO person_change (person, at) VALUES ('x', now())"


def _delivery(channel: str = "email", status: str = "pending", due: str = "interval '0'", priority: int = 1) -> str:
    return _DELIVERY.format(channel=channel, status=status, due=due, priority=priority)


@pytest.mark.parametrize(
    ("schema", "condition", "before", "then"),
    [
        ("sla", HAS_MESSAGES, "SELECT", _MESSAGE),
        (
            "sla",
            HAS_REQUESTS,
            _DEAD_LETTER,
            "UPDATE dead_letter SET status = 'replay'",
        ),
        ("notify", due_condition("email"), _delivery(due="interval '1 hour'") + ";" + _delivery("sms"), _delivery(priority=1)),
        ("notify", due_condition("email"), "SELECT", _delivery(priority=0)),
        ("notify", HAS_DUE_DIGESTS, _delivery(status="collecting", due="interval '1 hour'"), _delivery(status="collecting")),
        ("notify", HAS_NEWS, "SELECT", _NEWS),
        ("triage", HAS_WAITING, _POSITION, _CHANGE),
        ("triage", HAS_WAITING, "SELECT", "INSERT INTO recount VALUES ('p', 'c', 'k', 'c1', now())"),
    ],
)
async def test_condition_holds_once_there_is_something_to_do(
    settings: RuntimeSettings, schema: str, condition: str, before: str, then: str
) -> None:
    database = Database(settings, schema)
    async with database.transaction() as tx:
        for statement in before.split(";"):
            await tx.execute(statement)
        assert not await tx.fetchval(f"SELECT {condition}")
        await tx.execute(then)
        assert await tx.fetchval(f"SELECT {condition}")
    await database.close()
