"""Declares the desk's tables: `case_*` is the read model, filled from the topics; `saved_view` and `closed_hints` are what people keep.

`reading_progress` has a row for each process: how far it has read, and a number that grows with each batch.
"""

from typing import Any

from sqlalchemy import ARRAY, BigInteger, Boolean, Column, Date, DateTime, Float, Index, Integer, MetaData, Table, Text, Uuid, text
from sqlalchemy.types import TypeEngine

from services.desk.storage.session_tables import add_session_tables
from shared.runtime.database.tables import runtime_tables

SCHEMA = "desk"
READ_MODEL = (
    *("case_row", "case_event", "case_deadline", "case_message", "case_delivery", "case_attachment", "case_search"),
    *("figure_audience", "figure_sum"),
)
"""The tables that a rebuild replaces."""


def metadata() -> MetaData:
    """All tables of the desk's schema, those of the runtime included."""
    declared = runtime_tables(SCHEMA)
    _case_row(declared)
    event = _table(
        declared, "case_event", ["case_id"], ["type", "role", "actor", "clause", "rule", "body"], {"at": _instant()}, ["sequence"]
    )
    of_groups = text("type IN ('group_found', 'group_dissolved')")
    Index("case_event_groups", event.c.type, event.c.at, event.c.case_id, postgresql_where=of_groups)
    instants = {name: _instant(nullable=True) for name in ("due_at", "started_at", "breached_at", "ended_at")}
    _table(declared, "case_deadline", ["case_id", "clock"], ["state", "clause", "role"], {**instants, "sequence": Integer()}, ["round"])
    lists = {"recipients": ARRAY(Text), "persons": ARRAY(Text), "urgent": Boolean(), "at": _instant()}
    message = _table(declared, "case_message", ["notification"], ["case_id", "template", "about", "merged_into"], lists)
    Index("case_message_case", message.c.case_id)
    texts = ["case_id", "notification", "channel", "recipient", "status", "reason"]
    delivery = _table(declared, "case_delivery", ["delivery"], texts, {"attempts": Integer(), "rank": Integer(), "at": _instant()})
    Index("case_delivery_case", delivery.c.case_id)
    _table(declared, "case_attachment", ["case_id", "attachment"], [], {"sequence": Integer(), "at": _instant()})
    search = _table(declared, "case_search", ["case_id"], ["words"], {"received_at": _instant(), "grams": ARRAY(Integer)})
    Index("case_search_grams", search.c.grams, postgresql_using="gin")
    _figure_tables(declared)
    _table(declared, "saved_view", ["person", "name"], ["parameters"], {"created_at": _instant()})
    _table(declared, "closed_hints", ["person"], [], {"closed_at": _instant()})
    progress = {"version": BigInteger(), "lag_seconds": Float(), "partitions": Integer(), "noted_at": _instant()}
    Table("reading_progress", declared, Column("process", Uuid, primary_key=True), *_columns(progress))
    add_session_tables(declared)
    return declared


def _case_row(declared: MetaData) -> None:
    texts = ("number", "procedure", "title", "kind", "class", "subject", "channel", "state", "department", "proposed", "handler")
    row = Table(
        "case_row",
        declared,
        Column("case_id", Text, primary_key=True),
        *(Column(name, Text, nullable=False) for name in (*texts, "due_clock", "lead", "review", "running")),
        *(Column(name, Integer, nullable=False) for name in ("version", "level", "urgings", "sequence")),
        *(Column(name, Boolean, nullable=False) for name in ("breached", "escalated", "suspended", "anonymous")),
        *(Column(name, ARRAY(Text), nullable=False) for name in ("cooperating", "against", "seen_by")),
        *(Column(name, DateTime(timezone=True)) for name in ("received_at", "due_at", "changed_at", "ended_at")),
        Column("figures", ARRAY(Integer), nullable=False, server_default=text("'{}'")),
    )
    is_open = text("state = 'open'")
    # The inbox reads in this order, and only open cases: most cases have ended.
    Index("case_row_due", text("coalesce(due_at, 'infinity')"), row.c.case_id, postgresql_where=is_open)
    Index("case_row_open_seen_by", row.c.seen_by, postgresql_using="gin", postgresql_where=is_open)
    unit = text("coalesce(nullif(department, ''), proposed)")
    Index("case_row_open_department", unit, text("coalesce(due_at, 'infinity')"), row.c.case_id, postgresql_where=is_open)
    Index("case_row_open_handler", row.c.handler, text("coalesce(due_at, 'infinity')"), row.c.case_id, postgresql_where=is_open)
    escalated = text("state = 'open' AND escalated")
    Index("case_row_open_escalated", text("coalesce(due_at, 'infinity')"), row.c.case_id, postgresql_where=escalated)
    Index("case_row_received", row.c.received_at, row.c.case_id)
    Index("case_row_seen_by", row.c.seen_by, postgresql_using="gin")
    Index("case_row_number", row.c.number)
    Index("case_row_figures", row.c.figures, postgresql_using="gin")
    # Empty but for a read model of a version that counted nothing: whether there is such a case costs no search.
    Index("case_row_uncounted", row.c.case_id, postgresql_where=text("figures = '{}' AND received_at IS NOT NULL"))


def _figure_tables(declared: MetaData) -> None:
    Table(
        "figure_audience",
        declared,
        Column("audience", Uuid, primary_key=True),
        *(Column(name, ARRAY(Text), nullable=False) for name in ("seen_by", "against")),
    )
    Table(
        "figure_sum",
        declared,
        # In this order: a page reads the periods of one unit and dimension.
        *(Column(name, Text, primary_key=True) for name in ("unit", "dimension")),
        Column("period", Date, primary_key=True),
        *(Column(name, Text, primary_key=True) for name in ("procedure", "value")),
        Column("audience", Uuid, primary_key=True),
        Column("counts", ARRAY(Integer), nullable=False),
    )


def _table(
    declared: MetaData,
    name: str,
    keys: list[str],
    texts: list[str],
    others: dict[str, Any],
    number_keys: list[str] | None = None,
) -> Table:
    return Table(
        name,
        declared,
        *(Column(key, Text, primary_key=True) for key in keys),
        *(Column(key, Integer, primary_key=True, autoincrement=False) for key in number_keys or []),
        *(Column(column, Text, nullable=False) for column in texts),
        *_columns(others),
    )


def _columns(types: dict[str, Any]) -> list[Column[Any]]:
    return [Column(name, type_, nullable=bool(getattr(type_, "nullable_instant", False))) for name, type_ in types.items()]


def _instant(*, nullable: bool = False) -> TypeEngine[Any]:
    instant = DateTime(timezone=True)
    instant.nullable_instant = nullable  # type: ignore[attr-defined] # read by _columns
    return instant
