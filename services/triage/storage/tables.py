"""Declares triage's tables: `known` (cases), `concerned` (whom they concern), `mark` (what counters counted), `tally` (open groups).

`person_*` state who is the same person, and log the changes; `recount*` are counts to take again;
`similar_text` is what is remembered of texts to find the same event in other words.
Column `count` is the id of a count entry, `key` the count key.
"""

from typing import Any

from sqlalchemy import ARRAY, BigInteger, Boolean, Column, DateTime, Identity, Index, Integer, LargeBinary, MetaData, Table, Text, text
from sqlalchemy.types import TypeEngine

from services.triage.storage.triage_cases import TriageCaseRow
from shared.runtime.database.tables import runtime_tables

SCHEMA = "triage"
_COLUMN_TYPES: dict[type, TypeEngine[Any]] = {str: Text(), int: Integer(), bool: Boolean()}


def metadata() -> MetaData:
    """All tables of triage's schema, those of the runtime included."""
    declared = runtime_tables(SCHEMA)
    known = Table(
        "known",
        declared,
        *(
            Column(name, _COLUMN_TYPES[type_], nullable=False, primary_key=name == "case_id")
            for name, type_ in TriageCaseRow.__annotations__.items()
        ),
    )
    # Capacities count open cases only, and most cases are closed.
    Index("known_open", known.c.case_id, postgresql_where=text("ended = ''"))
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
        Column("person", Text, nullable=False),
        Column("group_id", Text, nullable=False),
    )
    Index("mark_received", occurrence.c.procedure, occurrence.c.count, occurrence.c.key, occurrence.c.received_at)
    Index("mark_case", occurrence.c.case_id)
    # Only of counts that tell people apart: the others store no person, and so pay nothing for the index.
    of_person = (occurrence.c.person, occurrence.c.procedure, occurrence.c.count, occurrence.c.key, occurrence.c.received_at)
    Index("mark_person", *of_person, postgresql_where=text("person <> ''"))
    Table(
        "tally",
        declared,
        *(Column(name, Text, primary_key=True) for name in ("procedure", "count", "key")),
        Column("group_id", Text, nullable=False),
    )
    Index("mark_group", *(occurrence.c[name] for name in ("group_id", "received_at", "case_id")), postgresql_where=text("group_id <> ''"))
    _group_tables(declared)
    _people_tables(declared)
    _similar_texts_table(declared)
    return declared


def _similar_texts_table(declared: MetaData) -> None:
    """Remembered texts of entries with `similar`: hashed n-grams and place names. Read in order of numbers, and only by the key."""
    Table(
        "similar_text",
        declared,
        *(Column(name, Text, primary_key=True) for name in ("procedure", "count")),
        Column("number", BigInteger, primary_key=True, autoincrement=False),
        *(Column(name, Text, nullable=False) for name in ("case_id", "event")),
        Column("received_at", DateTime(timezone=True), nullable=False),
        Column("grams", LargeBinary, nullable=False),
        Column("places", Text, nullable=False),
    )


def _group_tables(declared: MetaData) -> None:
    """Groups as things of their own, what became of them, and the links that triage proposed."""
    Table(
        "counted_group",
        declared,
        Column("id", Text, primary_key=True),
        *(Column(name, Text, nullable=False) for name in ("procedure", "count", "key", "clause", "founder")),
        Column("found_at", DateTime(timezone=True), nullable=False),
        Column("found_size", Integer, nullable=False),
        Column("dissolved_at", DateTime(timezone=True)),
    )
    history = Table(
        "group_history",
        declared,
        Column("id", BigInteger, Identity(), primary_key=True),
        Column("group_id", Text, nullable=False),
        Column("at", DateTime(timezone=True), nullable=False),
        *(Column(name, Text, nullable=False) for name in ("event", "case_id")),
    )
    Index("group_history_group", history.c.group_id, history.c.id)
    proposal = Table(
        "link_proposal",
        declared,
        *(Column(name, Text, primary_key=True) for name in ("case_id", "to_case")),
        Column("at", DateTime(timezone=True), nullable=False),
        *(Column(name, Text, nullable=False) for name in ("clause", "decision")),
        Column("decided_at", DateTime(timezone=True)),
    )
    columns = (proposal.c.at, proposal.c.case_id, proposal.c.to_case)
    Index("link_proposal_open", *columns, postgresql_where=text("decision = ''"))
    Index("link_proposal_decided", *columns, postgresql_where=text("decision <> ''"))
    # A person may link either of the two to the other one.
    Index("link_proposal_to_case", proposal.c.to_case, proposal.c.case_id)


def _people_tables(declared: MetaData) -> None:
    """Keys belong to people, of whom some became others since; id_numbers own people. Hashes only, no contact data."""
    Table("person_key", declared, Column("key", Text, primary_key=True), Column("person", Text, nullable=False))
    join = Table("person_join", declared, Column("person", Text, primary_key=True), Column("root", Text, nullable=False))
    Index("person_join_root", join.c.root)
    owner = Table("person_owner", declared, *(Column(name, Text, primary_key=True) for name in ("person", "id_number")))
    Index("person_owner_id_number", owner.c.id_number)
    Table(
        "person_change",
        declared,
        Column("id", BigInteger, Identity(), primary_key=True),
        Column("person", Text, nullable=False),
        Column("at", DateTime(timezone=True), nullable=False),
    )
    Table(
        "recount",
        declared,
        *(Column(name, Text, primary_key=True) for name in ("procedure", "count", "key", "case_id")),
        Column("at", DateTime(timezone=True), nullable=False),
    )
    Table(
        "recount_position",
        declared,
        Column("procedure", Text, primary_key=True),
        Column("position", BigInteger, nullable=False),
    )
