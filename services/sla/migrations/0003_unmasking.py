"""Adds who saw a complainant's contact data, and why."""

from shared.runtime.database.alembic_environment.script import execute_script

revision = "0003"
down_revision = "0002"

_TABLES = """
CREATE TABLE IF NOT EXISTS unmasking (
    id uuid NOT NULL,
    case_id text NOT NULL,
    person text NOT NULL,
    fields text[] NOT NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX IF NOT EXISTS unmasking_case ON unmasking (case_id, at);
"""


def upgrade() -> None:
    """Create the table."""
    execute_script(_TABLES)
