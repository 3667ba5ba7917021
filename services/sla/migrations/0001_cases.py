"""Cases, their ledger, held inputs and duties carried out, beside the machinery's tables."""

from alembic import op

from services.sla.storage.tables import SCHEMA, add_tables
from shared.runtime.database.tables import create_runtime_tables, runtime_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table of the schema."""
    create_runtime_tables(op, SCHEMA)  # type: ignore[arg-type]  # alembic offers its operations as a module
    own = runtime_tables(SCHEMA)
    known = set(own.tables)
    add_tables(own)
    own.create_all(op.get_bind(), tables=[table for name, table in own.tables.items() if name not in known], checkfirst=False)
