"""sla's tables: cases as they stand, their ledger, and inputs that have to wait."""

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, Integer, LargeBinary, MetaData, Table, Text

from shared.runtime.database.tables import runtime_tables, use_queue_autovacuum

SCHEMA = "sla"


def metadata() -> MetaData:
    """The machinery's tables and sla's own."""
    found = runtime_tables(SCHEMA)
    add_tables(found)
    return found


def add_tables(schema_metadata: MetaData) -> None:
    """Add sla's own tables; `state` and `body` are JSON as bytes, `head` the hash of the case's latest event."""
    _add_cases(schema_metadata)
    _add_ledger(schema_metadata)
    _add_deferred_inputs_and_duties(schema_metadata)
    _add_evidence(schema_metadata)


def _add_cases(found: MetaData) -> None:
    """Cases as they stand."""
    cases = Table(
        "cases",
        found,
        Column("id", Text, primary_key=True),
        Column("number", Text, nullable=False),
        Column("source", Text, nullable=False),
        Column("procedure", Text, nullable=False),
        Column("version", Integer, nullable=False),
        Column("status", Text, nullable=False),
        Column("class", Text, nullable=False),
        Column("department", Text, nullable=False),
        Column("received_at", DateTime(timezone=True), nullable=False),
        Column("calendar", Text, nullable=False),
        Column("sequence", Integer, nullable=False),
        Column("head", LargeBinary, nullable=False),
        Column("state", LargeBinary, nullable=False),
    )
    Index("cases_open", cases.c.status, cases.c["class"], cases.c.department)
    Index("cases_calendar", cases.c.calendar, postgresql_where=cases.c.status == "open")


def _add_ledger(found: MetaData) -> None:
    """Every event of every case, bound to the one before by its hash."""
    ledger = Table(
        "ledger",
        found,
        Column("case_id", Text, primary_key=True),
        Column("sequence", Integer, primary_key=True),
        Column("type", Text, nullable=False),
        Column("at", DateTime(timezone=True), nullable=False),
        Column("recorded_at", DateTime(timezone=True), nullable=False),
        Column("cause", Text, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("hash", LargeBinary, nullable=False),
        Column("origin", Text, nullable=False, server_default=""),
        Column("basis", Text, nullable=False, server_default=""),
    )
    Index("ledger_type_at", ledger.c.type, ledger.c.at)


def _add_deferred_inputs_and_duties(found: MetaData) -> None:
    """Inputs that wait, and duties of procedures that were carried out."""
    held = Table(
        "held",
        found,
        Column("id", BigInteger, Identity(), primary_key=True),
        Column("case_id", Text, nullable=False),
        Column("at", DateTime(timezone=True), nullable=False),
        Column("input", LargeBinary, nullable=False),
    )
    Index("held_case", held.c.case_id, held.c.at, held.c.id)
    use_queue_autovacuum(held)
    Table(
        "duty",
        found,
        Column("procedure", Text, primary_key=True),
        Column("duty", Text, primary_key=True),
        Column("period", DateTime(timezone=True), primary_key=True),
        Column("carried_out_at", DateTime(timezone=True), nullable=False),
        Column("report", LargeBinary, nullable=False),
    )


def _add_evidence(found: MetaData) -> None:
    """What proofs rest on: organisation and calendars of earlier decisions, sealed years and the heads that they bind."""
    Table(
        "basis",
        found,
        Column("stamp", Text, primary_key=True),
        Column("calendar", Text, nullable=False),
        Column("content", LargeBinary, nullable=False),
    )
    Table(
        "seal",
        found,
        Column("year", Integer, primary_key=True, autoincrement=False),
        Column("root", LargeBinary, nullable=False),
        Column("cases", Integer, nullable=False),
        Column("sealed_at", DateTime(timezone=True), nullable=False),
    )
    Table(
        "seal_leaf",
        found,
        Column("year", Integer, primary_key=True, autoincrement=False),
        Column("case_id", Text, primary_key=True),
        Column("sequence", Integer, nullable=False),
        Column("head", LargeBinary, nullable=False),
    )
