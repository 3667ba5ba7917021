"""Declares tables `erasure` (whose personal values were taken out, and how far that is), `legal_hold`, `unmasking` and `retention_run`."""

from sqlalchemy import ARRAY, Boolean, Column, DateTime, Index, MetaData, Table, Text, Uuid, text


def add_keeping_tables(schema_metadata: MetaData) -> None:
    """Add the tables to sla's schema. An erasure names cases and who asked for it, never the person that was erased."""
    erasure = Table(
        "erasure",
        schema_metadata,
        Column("id", Uuid, primary_key=True),
        Column("cases", ARRAY(Text), nullable=False),
        *(Column(name, Text, nullable=False) for name in ("ground", "requested_by")),
        Column("requested_at", DateTime(timezone=True), nullable=False),
        Column("steps", ARRAY(Text), nullable=False, server_default=text("'{}'")),
        # Keys of the records of the submissions, which are not those of the cases; empty once the erasure is finished.
        Column("submission_keys", ARRAY(Text), nullable=False),
        Column("finished_at", DateTime(timezone=True)),
    )
    Index("erasure_unfinished", erasure.c.requested_at, postgresql_where=erasure.c.finished_at.is_(None))
    Table(
        "legal_hold",
        schema_metadata,
        Column("case_id", Text, primary_key=True),
        *(Column(name, Text, nullable=False) for name in ("because", "held_by")),
        Column("since", DateTime(timezone=True), nullable=False),
    )
    unmasking = Table(
        "unmasking",
        schema_metadata,
        Column("id", Uuid, primary_key=True),
        *(Column(name, Text, nullable=False) for name in ("case_id", "person", "reason")),
        Column("fields", ARRAY(Text), nullable=False),
        Column("at", DateTime(timezone=True), nullable=False),
    )
    Index("unmasking_case", unmasking.c.case_id, unmasking.c.at)
    retention_run = Table(
        "retention_run",
        schema_metadata,
        Column("id", Uuid, primary_key=True),
        Column("started_at", DateTime(timezone=True), nullable=False),
        Column("ended_at", DateTime(timezone=True)),
        Column("outcome", Text, nullable=False),
        Column("limits", Boolean, nullable=False),
    )
    Index("retention_run_started", retention_run.c.started_at)
