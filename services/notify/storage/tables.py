"""notify's tables: deliveries with the parts of text messages, the pace of recipients, and the last event number of each case."""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Identity, Index, Integer, MetaData, Table, Text, Uuid, false, func

from shared.runtime.database.tables import runtime_tables, use_queue_autovacuum

SCHEMA = "notify"


def metadata() -> MetaData:
    """The runtime's tables and notify's own."""
    schema_metadata = runtime_tables(SCHEMA)
    _delivery_table(schema_metadata)
    _carrying_tables(schema_metadata)
    _part_table(schema_metadata)
    Table("case_sequence", schema_metadata, Column("case_id", Text, primary_key=True), Column("value", BigInteger, nullable=False))
    return schema_metadata


def _delivery_table(schema_metadata: MetaData) -> None:
    """The deliveries, each with the state of its attempts."""
    delivery = Table(
        "delivery",
        schema_metadata,
        Column("id", Uuid, primary_key=True),
        *(
            Column(name, Text, nullable=False)
            for name in ("case_id", "notification", "recipient", "channel", "template", "because", "status")
        ),
        Column("due_at", DateTime(timezone=True), nullable=False),
        *(Column(name, Text, nullable=False) for name in ("address", "subject", "text", "reason")),
        Column("traceparent", Text),
        Column("lane", Text, nullable=False, server_default=""),
        Column("attempts", Integer, nullable=False, server_default="0"),
        Column("fence", BigInteger, nullable=False, server_default="0"),
        Column("first_due_at", DateTime(timezone=True), nullable=False),
        Column("reference", Text, nullable=False, server_default=""),
        Column("provider", Text, nullable=False, server_default=""),
        Column("parts", Integer, nullable=False, server_default="0"),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Column("settled_at", DateTime(timezone=True)),
        Column("priority", Integer, nullable=False, server_default="1"),
        Column("carrier", Uuid),
        Column("merged", Text, nullable=False, server_default=""),
        Column("carries", Boolean, nullable=False, server_default=false()),
        Column("line", Text, nullable=False, server_default=""),
        Column("thing", Uuid),
        Column("any_hour", Boolean, nullable=False, server_default=false()),
    )
    is_claimable = (delivery.c.status == "pending") & delivery.c.carrier.is_(None)
    Index("delivery_due", delivery.c.channel, delivery.c.priority, delivery.c.due_at, postgresql_where=is_claimable)
    Index("delivery_settled", delivery.c.settled_at, postgresql_where=delivery.c.status != "pending")
    # Few rows: the month's failures are counted without reading what was sent.
    Index("delivery_failed", delivery.c.settled_at, postgresql_where=delivery.c.status == "failed")
    Index("delivery_collecting", delivery.c.due_at, postgresql_where=delivery.c.status == "collecting")
    Index("delivery_carrier", delivery.c.carrier, postgresql_where=delivery.c.carrier.is_not(None))
    Index("delivery_case", delivery.c.case_id)
    use_queue_autovacuum(delivery)


def _part_table(schema_metadata: MetaData) -> None:
    """The parts of text messages, by the provider's ids."""
    part = Table(
        "delivery_part",
        schema_metadata,
        *(Column(name, Text, primary_key=True) for name in ("provider", "reference")),
        Column("delivery", Uuid),
        *(Column(name, Text, nullable=False, server_default="") for name in ("status", "code")),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    )
    Index("delivery_part_delivery", part.c.delivery)
    Index("delivery_part_created", part.c.created_at)
    use_queue_autovacuum(part)


def _carrying_tables(schema_metadata: MetaData) -> None:
    """The pace of each recipient, and the outcomes of carriers that are to be published for the requests that they carry."""
    Table(
        "recipient_pace",
        schema_metadata,
        Column("recipient", Text, primary_key=True),
        Column("channel", Text, primary_key=True),
        Column("state", Text, nullable=False),
    )
    news = Table(
        "carried_news",
        schema_metadata,
        Column("id", BigInteger, Identity(), primary_key=True),
        Column("carrier", Uuid, nullable=False),
        Column("status", Text, nullable=False),
        Column("at", DateTime(timezone=True), nullable=False),
        Column("reason", Text, nullable=False),
        Column("acknowledged", Boolean, nullable=False, server_default=false()),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    )
    Index("carried_news_carrier", news.c.carrier, news.c.id)
