"""Declares triage's tables: `known` (cases), `concerned` (whom they concern), `mark` (what counters counted), `tally` (open groups).

Column `count` is the id of a count entry, `key` the count key.
"""

from typing import Any

from sqlalchemy import ARRAY, Boolean, Column, DateTime, Index, Integer, MetaData, Table, Text, text
from sqlalchemy.types import TypeEngine

from services.triage.storage.triage_cases import TriageCaseRow
from shared.runtime.database.tables import runtime_tables

SCHEMA = "triage"
_COLUMN_TYPES: dict[type, TypeEngine[Any]] = {str: Text(), int: Integer(), bool: Boolean()}


def metadata() -> MetaData:
    """All tables of triage's schema, those of the runtime included."""
    declared = runtime_tables(SCHEMA)
    Table(
        "known",
        declared,
        *(
            Column(name, _COLUMN_TYPES[type_], nullable=False, primary_key=name == "case_id")
            for name, type_ in TriageCaseRow.__annotations__.items()
        ),
    )
    Table(
        "concerned",
        declared,
        Column("case_id", Text, primary_key=True),
        *(Column(name, Text, nullable=False) for name in ("department", "proposed")),
        Column("cooperating", ARRAY(Text), nullable=False),
        Column("handler", Text, nullable=False),
    )
    occurrence = Table(
        "mark",
        declared,
        *(Column(name, Text, primary_key=True) for name in ("procedure", "count", "key", "case_id")),
        Column("received_at", DateTime(timezone=True), nullable=False),
        Column("complainants", ARRAY(Text), nullable=False),
        Column("group_id", Text, nullable=False),
    )
    Index("mark_received", occurrence.c.procedure, occurrence.c.count, occurrence.c.key, occurrence.c.received_at)
    Index("mark_case", occurrence.c.case_id)
    # Only of counts that tell people apart: the others store no keys, and so pay nothing for the index.
    Index("mark_complainants", occurrence.c.complainants, postgresql_using="gin", postgresql_where=text("complainants <> '{}'"))
    Table(
        "tally",
        declared,
        *(Column(name, Text, primary_key=True) for name in ("procedure", "count", "key")),
        Column("group_id", Text, nullable=False),
    )
    return declared
