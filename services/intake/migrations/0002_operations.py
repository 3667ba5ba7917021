"""Adds what tells left files of web forms from those that a complaint names, and the trace of timers."""

from shared.runtime.database.alembic_environment.script import execute_script
from shared.runtime.database.frozen_tables import RUNTIME_TABLES_0002

revision = "0002"
down_revision = "0001"

# True for contents that the previous release stores: it does not record which of them a complaint names, so none may be deleted.
_TABLES = """
ALTER TABLE attachment ADD COLUMN IF NOT EXISTS last_stored_at timestamptz DEFAULT now() NOT NULL;
ALTER TABLE attachment ADD COLUMN IF NOT EXISTS permanent boolean DEFAULT true NOT NULL;
ALTER TABLE attachment ALTER COLUMN permanent SET DEFAULT true;
CREATE INDEX IF NOT EXISTS attachment_unregistered ON attachment (last_stored_at) WHERE NOT permanent;
CREATE INDEX IF NOT EXISTS raw_copy_form ON raw_copy (reference) WHERE channel = 'form' AND part = 0;
"""


def upgrade() -> None:
    """Add columns, tables and indexes; those that are there already stay."""
    execute_script(_TABLES)
    execute_script(RUNTIME_TABLES_0002)
