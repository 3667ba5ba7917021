"""Adds deliveries at any hour, an index of failures, acknowledged outcomes, and the trace of timers."""

from shared.runtime.database.alembic_environment.script import execute_script
from shared.runtime.database.frozen_tables import RUNTIME_TABLES_0002

revision = "0002"
down_revision = "0001"

_TABLES = """
ALTER TABLE delivery ADD COLUMN IF NOT EXISTS any_hour boolean DEFAULT false NOT NULL;
CREATE INDEX IF NOT EXISTS delivery_failed ON delivery (settled_at) WHERE status = 'failed';
ALTER TABLE carried_news ADD COLUMN IF NOT EXISTS acknowledged boolean DEFAULT false NOT NULL;
"""


def upgrade() -> None:
    """Add columns, tables and indexes; those that are there already stay."""
    execute_script(_TABLES)
    execute_script(RUNTIME_TABLES_0002)
