"""Declares intake's tables: `book` (last numbers), `complaint`, `refusal`, `attachment`, `raw_copy`, those of imports and of mails."""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Identity, Index, Integer, LargeBinary, MetaData, Table, Text, func, text, true

from services.intake.storage.mail_tables import add_mail_tables
from shared.runtime.database.tables import runtime_tables

SCHEMA = "intake"
_TEXT_DEFAULTS = {"found": "'{}'", "fault": "''", "counts": "'{}'", "holder": "''"}


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
    _attachment(declared)
    _raw_copy(declared)
    _imports(declared)
    add_mail_tables(declared)
    return declared


def _attachment(declared: MetaData) -> None:
    attachment = Table(
        "attachment",
        declared,
        Column("sha256", Text, primary_key=True),
        Column("media_type", Text, nullable=False),
        Column("size", BigInteger, nullable=False),
        Column("source", Text, nullable=False),
        Column("stored_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Column("erased_at", DateTime(timezone=True)),
        Column("erased_because", Text, nullable=False, server_default=""),
        Column("last_stored_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Column("permanent", Boolean, nullable=False, server_default=true()),
    )
    Index("attachment_unregistered", attachment.c.last_stored_at, postgresql_where=~attachment.c.permanent)


def _raw_copy(declared: MetaData) -> None:
    raw_copy = Table(
        "raw_copy",
        declared,
        Column("id", Text, primary_key=True),
        Column("part", Integer, primary_key=True, autoincrement=False),
        *(Column(name, Text, nullable=False) for name in ("source", "channel", "reference", "sealed")),
        Column("kept_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    )
    Index("raw_copy_kept", raw_copy.c.kept_at)
    Index("raw_copy_form", raw_copy.c.reference, postgresql_where=(raw_copy.c.channel == "form") & (raw_copy.c.part == 0))


def _imports(declared: MetaData) -> None:
    import_file = Table(
        "import_file",
        declared,
        Column("id", Text, primary_key=True),
        *(Column(name, Text, nullable=False) for name in ("source", "name", "sha256")),
        *(Column(name, Boolean, nullable=False) for name in ("folder", "dry_run")),
        Column("state", Text, nullable=False),
        Column("rows_done", Integer, nullable=False, server_default=text("0")),
        *(Column(name, Text, nullable=False, server_default=text(default)) for name, default in _TEXT_DEFAULTS.items()),
        Column("held_until", DateTime(timezone=True), nullable=False, server_default=text("'-infinity'")),
        Column("replay", Boolean, nullable=False, server_default=text("false")),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Column("finished_at", DateTime(timezone=True)),
    )
    Index("import_file_running", import_file.c.created_at, postgresql_where=import_file.c.state == "running")
    Index("import_file_content", import_file.c.source, import_file.c.sha256)
    Table(
        "import_row",
        declared,
        Column("import_id", Text, primary_key=True),
        Column("row", Integer, primary_key=True, autoincrement=False),
        *(Column(name, Text, nullable=False) for name in ("status", "case_id", "number", "reason", "faults", "unreadable")),
    )
