"""Adds trials of a procedure with other numbers."""

from shared.runtime.database.alembic_environment.script import execute_script

revision = "0005"
down_revision = "0004"

_TABLES = """
CREATE TABLE IF NOT EXISTS what_if_run (
    id uuid NOT NULL,
    person text NOT NULL,
    procedure text NOT NULL,
    state text NOT NULL,
    asked bytea NOT NULL,
    done integer DEFAULT 0 NOT NULL,
    total integer DEFAULT 0 NOT NULL,
    asked_at timestamptz DEFAULT now() NOT NULL,
    beat_at timestamptz DEFAULT now() NOT NULL,
    result bytea,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX IF NOT EXISTS what_if_run_running ON what_if_run (person) WHERE state = 'running';
"""


def upgrade() -> None:
    """Create the table."""
    execute_script(_TABLES)
