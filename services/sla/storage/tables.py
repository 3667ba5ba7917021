"""sla's tables: cases, ledger, deferred inputs, reports, improvement measures, decision contexts, seals, forms, Idempotency-Keys."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.sla.storage.keeping.tables import add_keeping_tables
from services.sla.storage.trials.tables import add_trial_tables
from shared.runtime.database.tables import runtime_tables, use_queue_autovacuum

SCHEMA = "sla"
RANDOM_KEY = "sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))"


def metadata() -> MetaData:
    """The runtime's tables and sla's own.

    `state`, `body`, `input`, `content` and `report` are JSON as bytes, `head`, `hash` and `root` are SHA-256 hashes.
    """
    schema_metadata = runtime_tables(SCHEMA)
    _add_cases(schema_metadata)
    _add_ledger(schema_metadata)
    _add_deferred_inputs_and_duties(schema_metadata)
    _add_reviews(schema_metadata)
    _add_evidence(schema_metadata)
    _add_action_keys(schema_metadata)
    _add_figures(schema_metadata)
    add_keeping_tables(schema_metadata)
    add_trial_tables(schema_metadata)
    return schema_metadata


def _add_cases(schema_metadata: MetaData) -> None:
    """The present state of each case; the columns beside `state` are those that queries filter or count by."""
    cases = Table(
        "cases",
        schema_metadata,
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
        Column("changed_at", DateTime(timezone=True), nullable=False),
        Column("due_at", DateTime(timezone=True)),
        Column("breached", Boolean, nullable=False),
        Column("escalated", Boolean, nullable=False, server_default=false()),
        Column("other_departments", ARRAY(Text), nullable=False),
        Column("handler", Text, nullable=False),
        # Random for the rows of a previous release, which does not write the column.
        Column("personal_key", LargeBinary, nullable=False, server_default=text(RANDOM_KEY)),
    )
    # Of all that the gauges of open cases read, so that they never touch the table, whose rows are wide.
    counted = (cases.c.procedure, cases.c["class"], cases.c.department, cases.c.received_at)
    is_open = cases.c.status == "open"
    Index("cases_open", *counted, postgresql_include=["breached", "escalated"], postgresql_where=is_open)
    _add_list_indexes(cases)
    # A report of a period reads the cases that changed since its start, not the closed ones of all years before.
    Index("cases_changed", cases.c.procedure, cases.c.changed_at)
    Index("cases_calendar", cases.c.calendar, postgresql_where=cases.c.status == "open")


def _add_list_indexes(cases: Table) -> None:
    """Indexes of the list's filters; every index is written with every change of a case, so those of rare values are partial."""
    Index("cases_received", cases.c.received_at, cases.c.id)
    Index("cases_department", cases.c.department, cases.c.received_at, cases.c.id)
    Index("cases_other_departments", cases.c.other_departments, postgresql_using="gin", postgresql_where=text("other_departments <> '{}'"))
    Index("cases_handler", cases.c.handler, postgresql_where=cases.c.handler != "")
    Index("cases_number", cases.c.number)
    Index("cases_due", cases.c.due_at, postgresql_include=["procedure", "department"], postgresql_where=cases.c.due_at.is_not(None))
    Index("cases_breached", cases.c.received_at, cases.c.id, postgresql_where=cases.c.breached)
    Table(
        "case_person",
        cases.metadata,
        Column("key", Text, primary_key=True),
        Column("case_id", Text, primary_key=True),
    )


def _add_action_keys(schema_metadata: MetaData) -> None:
    """The Idempotency-Keys of HTTP actions; `fingerprint` is the SHA-256 of what was asked, `answer` is empty while it is being done."""
    keys = Table(
        "action_key",
        schema_metadata,
        Column("id", Uuid, primary_key=True),
        Column("fingerprint", LargeBinary, nullable=False),
        Column("claim", Uuid, nullable=False),
        Column("claimed_at", DateTime(timezone=True), nullable=False),
        Column("answer", LargeBinary),
    )
    Index("action_key_claimed", keys.c.claimed_at)


def _add_figures(schema_metadata: MetaData) -> None:
    """Counts by day of domain time; `tally` holds what the elected process has not added to `daily_figure` yet."""
    names = ("figure", "procedure", "department", "detail")
    tally = Table(
        "tally",
        schema_metadata,
        Column("id", BigInteger, Identity(), primary_key=True),
        Column("day", Date, nullable=False),
        *(Column(name, Text, nullable=False) for name in names),
        Column("number", Integer, nullable=False),
    )
    use_queue_autovacuum(tally)
    Table(
        "daily_figure",
        schema_metadata,
        Column("day", Date, primary_key=True),
        *(Column(name, Text, primary_key=True) for name in names),
        Column("number", BigInteger, nullable=False),
    )


def _add_ledger(schema_metadata: MetaData) -> None:
    """Every event of every case; `hash` covers the body and the hash of the event before."""
    ledger = Table(
        "ledger",
        schema_metadata,
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


def _add_deferred_inputs_and_duties(schema_metadata: MetaData) -> None:
    """Inputs that wait for their case or for earlier deadlines, and duties: since when, and their reports (NULL while one is computed)."""
    held = Table(
        "held",
        schema_metadata,
        Column("id", BigInteger, Identity(), primary_key=True),
        Column("case_id", Text, nullable=False),
        Column("at", DateTime(timezone=True), nullable=False),
        Column("input", LargeBinary, nullable=False),
    )
    Index("held_case", held.c.case_id, held.c.at, held.c.id)
    use_queue_autovacuum(held)
    Table(
        "duty",
        schema_metadata,
        Column("procedure", Text, primary_key=True),
        Column("duty", Text, primary_key=True),
        Column("period", DateTime(timezone=True), primary_key=True),
        Column("until", DateTime(timezone=True), nullable=False),
        Column("carried_out_at", DateTime(timezone=True), nullable=False),
        Column("claim", DateTime(timezone=True), nullable=False),
        Column("report", LargeBinary),
        Column("sign_by", DateTime(timezone=True)),
        Column("signed_at", DateTime(timezone=True)),
        Column("chased_at", DateTime(timezone=True)),
    )
    _add_reports(schema_metadata)
    Table(
        "duty_start",
        schema_metadata,
        Column("procedure", Text, primary_key=True),
        Column("since", DateTime(timezone=True), nullable=False),
    )


def _add_reviews(schema_metadata: MetaData) -> None:
    """Reviews of triage's decisions: open ones are the queue, decided ones are what a model is measured by and learns from."""
    review = Table(
        "review",
        schema_metadata,
        Column("case_id", Text, primary_key=True),
        Column("opened_by", Integer, primary_key=True, autoincrement=False),
        Column("reason", Text, nullable=False),
        Column("suggested", Text, nullable=False),
        Column("confidence", Double, nullable=False),
        Column("opened_at", DateTime(timezone=True), nullable=False),
        Column("model", Text, nullable=False),
        Column("guesses", JSONB, nullable=False),
        Column("taken_by", Text, nullable=False, server_default=""),
        Column("taken_until", DateTime(timezone=True)),
        Column("ended_at", DateTime(timezone=True)),
        Column("decided_by", Text, nullable=False, server_default=""),
        Column("outcome", Text, nullable=False, server_default=""),
        Column("labels", JSONB, nullable=False, server_default=text("'{}'")),
        Column("checks", JSONB, nullable=False, server_default=text("'[]'")),
        Column("agreed", Boolean),
    )
    open_reviews = text("ended_at IS NULL")
    Index("review_open", review.c.case_id, postgresql_where=open_reviews)
    Index("review_queue", review.c.opened_at, review.c.case_id, postgresql_where=open_reviews)
    Index("review_decided", review.c.ended_at, postgresql_where=text("agreed IS NOT NULL"))


def _add_reports(schema_metadata: MetaData) -> None:
    """The lists of reports in parts of some hundred rows, improvement measures, and the hash-chained record of what people did to both."""
    Table(
        "report_list",
        schema_metadata,
        Column("procedure", Text, primary_key=True),
        Column("duty", Text, primary_key=True),
        Column("period", DateTime(timezone=True), primary_key=True),
        Column("list", Text, primary_key=True),
        Column("part", Integer, primary_key=True, autoincrement=False),
        Column("content", LargeBinary, nullable=False),
        Column("erased", Boolean, nullable=False, server_default=false()),
    )
    Table(
        "report_event",
        schema_metadata,
        Column("procedure", Text, primary_key=True),
        Column("sequence", Integer, primary_key=True, autoincrement=False),
        Column("type", Text, nullable=False),
        Column("at", DateTime(timezone=True), nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("hash", LargeBinary, nullable=False),
    )
    improvement = Table(
        "improvement",
        schema_metadata,
        Column("id", Uuid, primary_key=True),
        Column("procedure", Text, nullable=False),
        Column("case_id", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("due_at", DateTime(timezone=True), nullable=False),
        Column("added_at", DateTime(timezone=True), nullable=False),
        Column("done_at", DateTime(timezone=True)),
        Column("chased_at", DateTime(timezone=True)),
        Column("content", LargeBinary, nullable=False),
    )
    Index("improvement_procedure", improvement.c.procedure, improvement.c.due_at, improvement.c.id)


def _add_evidence(schema_metadata: MetaData) -> None:
    """Organisation and calendars of earlier decisions, year seals with the ledger heads that they cover, and the register of forms."""
    Table(
        "form_issue",
        schema_metadata,
        Column("procedure", Text, primary_key=True),
        Column("form", Text, primary_key=True),
        Column("year", Integer, primary_key=True, autoincrement=False),
        Column("serial", Integer, primary_key=True, autoincrement=False),
        Column("case_id", Text, nullable=False),
        Column("version", Integer, nullable=False),
        Column("hash", LargeBinary),
        Column("keeper", Text, nullable=False),
        Column("issued_to", Text, nullable=False),
        Column("issued_at", DateTime(timezone=True), nullable=False),
        Column("returned_at", DateTime(timezone=True)),
        Column("outcome", Text, nullable=False, server_default=""),
    )
    Table(
        "basis",
        schema_metadata,
        Column("stamp", Text, primary_key=True),
        Column("calendar", Text, nullable=False),
        Column("content", LargeBinary, nullable=False),
    )
    Table(
        "seal",
        schema_metadata,
        Column("year", Integer, primary_key=True, autoincrement=False),
        Column("root", LargeBinary, nullable=False),
        Column("cases", Integer, nullable=False),
        Column("sealed_at", DateTime(timezone=True), nullable=False),
    )
    Table(
        "seal_leaf",
        schema_metadata,
        Column("year", Integer, primary_key=True, autoincrement=False),
        Column("case_id", Text, primary_key=True),
        Column("sequence", Integer, nullable=False),
        Column("head", LargeBinary, nullable=False),
    )
