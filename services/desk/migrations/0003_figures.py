"""Adds the figures of management: the days on which each case counts, and sums of them; a rebuild counts what came before."""

from shared.runtime.database.alembic_environment.script import execute_script

revision = "0003"
down_revision = "0002"

_TABLES = """
ALTER TABLE case_row ADD COLUMN IF NOT EXISTS figures integer[] NOT NULL DEFAULT '{}';
CREATE INDEX IF NOT EXISTS case_row_figures ON case_row USING gin (figures);
CREATE INDEX IF NOT EXISTS case_row_uncounted ON case_row (case_id) WHERE figures = '{}' AND received_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS figure_audience (
    audience uuid NOT NULL,
    seen_by text[] NOT NULL,
    against text[] NOT NULL,
    PRIMARY KEY (audience)
);
CREATE TABLE IF NOT EXISTS figure_sum (
    unit text NOT NULL,
    dimension text NOT NULL,
    period date NOT NULL,
    procedure text NOT NULL,
    value text NOT NULL,
    audience uuid NOT NULL,
    counts integer[] NOT NULL,
    PRIMARY KEY (unit, dimension, period, procedure, value, audience)
);
"""


def upgrade() -> None:
    """Add the column, its index, and the tables of sums."""
    execute_script(_TABLES)
