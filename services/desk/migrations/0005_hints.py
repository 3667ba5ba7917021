"""Adds the people who have closed the first-run hints."""

from shared.runtime.database.alembic_environment.script import execute_script

revision = "0005"
down_revision = "0004"

_TABLES = """
CREATE TABLE IF NOT EXISTS closed_hints (
    person text NOT NULL,
    closed_at timestamptz NOT NULL,
    PRIMARY KEY (person)
);
"""


def upgrade() -> None:
    """Create the table."""
    execute_script(_TABLES)
