"""Declares the runtime's tables, the same in every service's schema; the revisions create them, tests compare the two."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
)

# Queue tables delete as many rows as they insert: vacuum them every 2,000 rows, not after a share of the table.
# With dead rows a poll of the queue takes 2 ms instead of 0.1 ms.
QUEUE_AUTOVACUUM: dict[str, Any] = {
    "autovacuum_vacuum_scale_factor": 0,
    "autovacuum_vacuum_threshold": 2000,
    "autovacuum_vacuum_insert_scale_factor": 0,
    "autovacuum_vacuum_insert_threshold": 50000,
    "autovacuum_vacuum_cost_delay": 0,
    "autovacuum_analyze_scale_factor": 0,
    "autovacuum_analyze_threshold": 5000,
}


INBOX_SLOTS = 40
"""Partitions of the inbox, one a day in turn: enough for the retention and a week in which no one prunes."""


def _now() -> Column[Any]:
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now())


def _record_columns() -> list[Column[Any]]:
    """The columns of a RawRecord; `headers` is JSON of [name, base64 or null] pairs."""
    return [
        Column("topic", Text, nullable=False),
        Column("partition", Integer, nullable=False),
        Column("kafka_offset", BigInteger, nullable=False),
        Column("key", Text, nullable=False),
        Column("raw_key", LargeBinary),
        Column("headers", Text, nullable=False),
        Column("body", LargeBinary),
        Column("timestamp_ms", BigInteger, nullable=False),
        Column("timestamp_type", SmallInteger, nullable=False),
    ]


def runtime_tables(schema: str) -> MetaData:
    """A MetaData of the schema with the tables of the runtime; a service adds its own tables to it."""
    metadata = MetaData(schema=schema)
    _add_queue_tables(metadata)
    _add_dead_letter_tables(metadata, schema)
    return metadata


def _add_queue_tables(metadata: MetaData) -> None:
    Table(
        "inbox",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("topic", Text, primary_key=True),
        Column("slot", SmallInteger, primary_key=True, autoincrement=False),
        postgresql_partition_by="LIST (slot)",
    )
    Table(
        "outbox",
        metadata,
        Column("id", BigInteger, Identity(), primary_key=True),
        Column("shard", SmallInteger, nullable=False),
        Column("topic", Text, nullable=False),
        Column("messages", Integer, nullable=False),
        Column("keys", ARRAY(Text), nullable=False),
        Column("headers", ARRAY(Text), nullable=False),
        Column("bodies", ARRAY(LargeBinary), nullable=False),
        _now(),
        postgresql_with=QUEUE_AUTOVACUUM,
    )
    timer = Table(
        "timer",
        metadata,
        Column("case_id", Text, primary_key=True),
        Column("partition", Integer, nullable=False),
        Column("due_at", DateTime(timezone=True), nullable=False),
        # Of the event that armed the timer, while its trace is sampled: the trace of what the timer does is linked to it.
        Column("traceparent", Text),
        postgresql_with=QUEUE_AUTOVACUUM,
    )
    Index("timer_due", timer.c.partition, timer.c.due_at)
    # Held by the process that does what one process of a service does for all; see shared.runtime.database.election.
    Table(
        "lease",
        metadata,
        Column("name", Text, primary_key=True),
        Column("holder", Uuid, nullable=False),
        Column("expires_at", DateTime(timezone=True), nullable=False),
    )


def _add_dead_letter_tables(metadata: MetaData, schema: str) -> None:
    letter = Table(
        "dead_letter",
        metadata,
        Column("id", BigInteger, Identity(), primary_key=True),
        *_record_columns(),
        Column("reason", Text, nullable=False),
        Column("status", Text, nullable=False, server_default="open"),
        Column("attempts", Integer, nullable=False, server_default="0"),
        _now(),
        Column("settled_at", DateTime(timezone=True)),
        UniqueConstraint("topic", "partition", "kafka_offset", name="dead_letter_record"),
    )
    Index("dead_letter_status", letter.c.status, letter.c.id)
    Index("dead_letter_settled", letter.c.settled_at, postgresql_where=letter.c.settled_at.is_not(None))
    Table(
        "parked",
        metadata,
        Column("key", Text, primary_key=True),
        Column("dead_letter_id", BigInteger, ForeignKey(f"{schema}.dead_letter.id"), nullable=False),
        Column("since", DateTime(timezone=True), nullable=False, server_default=func.now()),
    )
    waiting = Table(
        "waiting",
        metadata,
        Column("id", BigInteger, Identity(), primary_key=True),
        *_record_columns(),
        UniqueConstraint("topic", "partition", "kafka_offset", name="waiting_record"),
        postgresql_with=QUEUE_AUTOVACUUM,
    )
    Index("waiting_key", waiting.c.key, waiting.c.id)


def use_queue_autovacuum(table: Table) -> None:
    """Give a queue table of a service the autovacuum settings of the runtime's queue tables."""
    table.dialect_options["postgresql"]["with"] = QUEUE_AUTOVACUUM
