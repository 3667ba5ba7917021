"""Adds the trace of timers."""

from shared.runtime.database.alembic_environment.script import execute_script
from shared.runtime.database.frozen_tables import RUNTIME_TABLES_0002

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add columns, tables and indexes; those that are there already stay."""
    execute_script(RUNTIME_TABLES_0002)
