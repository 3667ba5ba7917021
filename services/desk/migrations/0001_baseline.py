"""The desk's baseline: the read model, saved views, and how far each process has read.

Frozen: a released revision is never edited and imports no model; a change is a new revision.
"""

from shared.runtime.database.alembic_environment.script import execute_script
from shared.runtime.database.frozen_tables import RUNTIME_TABLES_0001, RUNTIME_TABLES_0002

revision = "0001"
down_revision = None

_TABLES = """
CREATE TABLE case_row (
    case_id text NOT NULL,
    number text NOT NULL,
    procedure text NOT NULL,
    title text NOT NULL,
    kind text NOT NULL,
    class text NOT NULL,
    subject text NOT NULL,
    channel text NOT NULL,
    state text NOT NULL,
    department text NOT NULL,
    proposed text NOT NULL,
    handler text NOT NULL,
    due_clock text NOT NULL,
    lead text NOT NULL,
    review text NOT NULL,
    running text NOT NULL,
    version integer NOT NULL,
    level integer NOT NULL,
    urgings integer NOT NULL,
    sequence integer NOT NULL,
    breached boolean NOT NULL,
    escalated boolean NOT NULL,
    suspended boolean NOT NULL,
    anonymous boolean NOT NULL,
    cooperating text[] NOT NULL,
    against text[] NOT NULL,
    seen_by text[] NOT NULL,
    received_at timestamptz,
    due_at timestamptz,
    changed_at timestamptz,
    ended_at timestamptz,
    PRIMARY KEY (case_id)
);
CREATE INDEX case_row_due ON case_row ((coalesce(due_at, 'infinity')), case_id) WHERE state = 'open';
CREATE INDEX case_row_received ON case_row (received_at, case_id);
CREATE INDEX case_row_seen_by ON case_row USING gin (seen_by);
CREATE INDEX case_row_number ON case_row (number);
CREATE TABLE case_event (
    case_id text NOT NULL,
    sequence integer NOT NULL,
    type text NOT NULL,
    role text NOT NULL,
    actor text NOT NULL,
    clause text NOT NULL,
    rule text NOT NULL,
    body text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (case_id, sequence)
);
CREATE TABLE case_deadline (
    case_id text NOT NULL,
    clock text NOT NULL,
    round integer NOT NULL,
    state text NOT NULL,
    clause text NOT NULL,
    role text NOT NULL,
    due_at timestamptz,
    started_at timestamptz,
    breached_at timestamptz,
    ended_at timestamptz,
    sequence integer NOT NULL,
    PRIMARY KEY (case_id, clock, round)
);
CREATE TABLE case_message (
    notification text NOT NULL,
    case_id text NOT NULL,
    template text NOT NULL,
    about text NOT NULL,
    merged_into text NOT NULL,
    recipients text[] NOT NULL,
    persons text[] NOT NULL,
    urgent boolean NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (notification)
);
CREATE INDEX case_message_case ON case_message (case_id);
CREATE TABLE case_delivery (
    delivery text NOT NULL,
    case_id text NOT NULL,
    notification text NOT NULL,
    channel text NOT NULL,
    recipient text NOT NULL,
    status text NOT NULL,
    reason text NOT NULL,
    attempts integer NOT NULL,
    rank integer NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (delivery)
);
CREATE INDEX case_delivery_case ON case_delivery (case_id);
CREATE TABLE case_attachment (
    case_id text NOT NULL,
    attachment text NOT NULL,
    sequence integer NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (case_id, attachment)
);
CREATE TABLE case_search (
    case_id text NOT NULL,
    words text NOT NULL,
    received_at timestamptz NOT NULL,
    grams integer[] NOT NULL,
    PRIMARY KEY (case_id)
);
CREATE INDEX case_search_grams ON case_search USING gin (grams);
CREATE TABLE saved_view (
    person text NOT NULL,
    name text NOT NULL,
    parameters text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (person, name)
);
CREATE TABLE reading_progress (
    process uuid NOT NULL,
    version bigint NOT NULL,
    lag_seconds double precision NOT NULL,
    partitions integer NOT NULL,
    noted_at timestamptz NOT NULL,
    PRIMARY KEY (process)
);
"""


def upgrade() -> None:
    """Create every table of the schema, which the connection's search path names."""
    execute_script(RUNTIME_TABLES_0001)
    execute_script(RUNTIME_TABLES_0002)
    execute_script(_TABLES)
