"""Declares table `what_if_run`: each person's last trial, how far it is, and its result."""

from sqlalchemy import Column, DateTime, Index, Integer, LargeBinary, MetaData, Table, Text, Uuid, text


def add_trial_tables(schema_metadata: MetaData) -> None:
    """Add the table to sla's schema."""
    run = Table(
        "what_if_run",
        schema_metadata,
        Column("id", Uuid, primary_key=True),
        *(Column(name, Text, nullable=False) for name in ("person", "procedure", "state")),
        Column("asked", LargeBinary, nullable=False),
        *(Column(name, Integer, nullable=False, server_default=text("0")) for name in ("done", "total")),
        *(Column(name, DateTime(timezone=True), nullable=False, server_default=text("now()")) for name in ("asked_at", "beat_at")),
        Column("result", LargeBinary),
    )
    Index("what_if_run_running", run.c.person, unique=True, postgresql_where=text("state = 'running'"))
