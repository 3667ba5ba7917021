"""Declares intake's tables: `book` (last numbers), `complaint` (registered), `refusal` (refused), `attachment` (stored files)."""

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, Integer, LargeBinary, MetaData, Table, Text, func

from shared.runtime.database.tables import runtime_tables

SCHEMA = "intake"


def metadata() -> MetaData:
    """All tables of intake's schema, those of the runtime included."""
    declared = runtime_tables(SCHEMA)
    Table(
        "book",
        declared,
        Column("register", Text, primary_key=True),
        Column("year", Integer, primary_key=True),
        Column("last", BigInteger, nullable=False),
        # Every registration updates a row: free space in the page keeps the update out of the index.
        postgresql_with={"fillfactor": 50},
    )
    complaint = Table(
        "complaint",
        declared,
        Column("case_id", Text, primary_key=True),
        *(Column(name, Text, nullable=False) for name in ("number", "source", "channel")),
        Column("external_id", Text),
        Column("received_at", DateTime(timezone=True), nullable=False),
        Column("registered_at", DateTime(timezone=True), nullable=False),
        Column("fingerprint", LargeBinary, nullable=False),
        Column("body", Text, nullable=False),
    )
    Index("complaint_number", complaint.c.number)
    Index("complaint_fingerprint", complaint.c.fingerprint)
    refusal = Table(
        "refusal",
        declared,
        Column("id", BigInteger, Identity(), primary_key=True),
        *(Column(name, Text, nullable=False) for name in ("via", "source", "reference", "reason", "faults")),
        Column("refused_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    )
    Index("refusal_refused", refusal.c.refused_at)
    Table(
        "attachment",
        declared,
        Column("sha256", Text, primary_key=True),
        Column("media_type", Text, nullable=False),
        Column("size", BigInteger, nullable=False),
        Column("source", Text, nullable=False),
        Column("stored_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Column("erased_at", DateTime(timezone=True)),
        Column("erased_because", Text, nullable=False, server_default=""),
    )
    return declared
