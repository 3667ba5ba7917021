"""Reads when each complaint went through each stage: by PostgreSQL's commit timestamps and the broker's append times."""

from __future__ import annotations

from datetime import datetime

import asyncpg
import orjson

from shared.contracts.envelope import CE_ID, CE_SEQUENCE
from shared.contracts.events.notifications import NotificationSent
from shared.contracts.topics import CASE_EVENTS, NOTIFICATION_EVENTS, Topic
from shared.runtime.process.settings import RuntimeSettings
from tests.support.messaging.topic_client import read_records, record_type
from tests.support.servers.databases import asyncpg_dsn

SETTINGS = {"track_commit_timestamp": "on"}
"""Of PostgreSQL. A service's own clock may be one of the faults."""
_ACCEPTED = "SELECT pg_xact_commit_timestamp(xmin) FROM intake.complaint"
_DECIDED = "SELECT pg_xact_commit_timestamp(xmin) FROM sla.ledger WHERE sequence = 1"


async def read_stage_instants(database_url: str, bootstrap_servers: str) -> dict[str, list[float]]:
    """The sorted instants of each of `throughput.STAGES` in real seconds; sent are the text messages."""
    connection = await asyncpg.connect(asyncpg_dsn(database_url))
    try:
        accepted, decided = [await _commits(connection, query) for query in (_ACCEPTED, _DECIDED)]
    finally:
        await connection.close()
    return {
        "accepted": accepted,
        "decided": decided,
        "published": await _appends(bootstrap_servers, CASE_EVENTS),
        "sent": await _appends(bootstrap_servers, NOTIFICATION_EVENTS),
    }


async def _commits(connection: asyncpg.Connection, query: str) -> list[float]:
    instants: list[datetime] = [row[0] for row in await connection.fetch(query)]
    return sorted(instant.timestamp() for instant in instants)


async def _appends(bootstrap_servers: str, topic: Topic) -> list[float]:
    """Of the first event of each case, or of each text message that was sent; a record that the relay repeats counts once."""
    instants: dict[bytes, float] = {}
    for record in await read_records(RuntimeSettings(kafka_bootstrap_servers=bootstrap_servers), topic):
        headers = dict(record.headers)
        if topic is CASE_EVENTS:
            counts = headers[CE_SEQUENCE] == b"1"
        else:
            counts = record_type(record) == NotificationSent.name and orjson.loads(record.value)["channel"] == "sms"
        if counts:
            instants.setdefault(headers[CE_ID], record.timestamp / 1000)
    return sorted(instants.values())
