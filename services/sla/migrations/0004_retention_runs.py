"""Adds when retention ran, and how it ended."""

from shared.runtime.database.alembic_environment.script import execute_script

revision = "0004"
down_revision = "0003"

_TABLES = """
CREATE TABLE IF NOT EXISTS retention_run (
    id uuid NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    outcome text NOT NULL,
    limits boolean NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX IF NOT EXISTS retention_run_started ON retention_run (started_at);
"""


def upgrade() -> None:
    """Create the table."""
    execute_script(_TABLES)
