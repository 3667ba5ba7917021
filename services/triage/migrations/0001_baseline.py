"""Triage's baseline: known cases, whom they concern, occurrences that count, open groups.

Frozen: a released revision is never edited and imports no model; a change is a new revision.
"""

from shared.runtime.database.alembic_environment.script import execute_script
from shared.runtime.database.frozen_tables import RUNTIME_TABLES_0001

revision = "0001"
down_revision = None

_TABLES = """
CREATE TABLE known (
    case_id text NOT NULL,
    procedure text NOT NULL,
    parameters text NOT NULL,
    complaint text NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    seen_kind text NOT NULL,
    seen_subject text NOT NULL,
    held_class text NOT NULL,
    held_rule text NOT NULL,
    assessed_class text NOT NULL,
    assessed_rule text NOT NULL,
    memberships text NOT NULL,
    complainants text NOT NULL,
    keys text NOT NULL,
    version integer NOT NULL,
    sequence integer NOT NULL,
    ended text NOT NULL,
    lead text NOT NULL,
    pinned boolean NOT NULL,
    PRIMARY KEY (case_id)
);
CREATE TABLE concerned (
    case_id text NOT NULL,
    department text NOT NULL,
    proposed text NOT NULL,
    cooperating text[] NOT NULL,
    handler text NOT NULL,
    PRIMARY KEY (case_id)
);
CREATE TABLE mark (
    procedure text NOT NULL,
    count text NOT NULL,
    key text NOT NULL,
    case_id text NOT NULL,
    received_at timestamptz NOT NULL,
    complainants text[] NOT NULL,
    group_id text NOT NULL,
    PRIMARY KEY (procedure, count, key, case_id)
);
CREATE INDEX mark_case ON mark (case_id);
CREATE INDEX mark_received ON mark (procedure, count, key, received_at);
CREATE INDEX mark_complainants ON mark USING gin (complainants) WHERE complainants <> '{}';
CREATE TABLE tally (
    procedure text NOT NULL,
    count text NOT NULL,
    key text NOT NULL,
    group_id text NOT NULL,
    PRIMARY KEY (procedure, count, key)
);
"""


def upgrade() -> None:
    """Create every table of the schema, which the connection's search path names."""
    execute_script(RUNTIME_TABLES_0001)
    execute_script(_TABLES)
