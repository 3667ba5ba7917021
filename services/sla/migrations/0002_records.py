"""What proofs rest on: how each decision came about and on what it rested, sealed years and the heads that they bind."""

from alembic import op
from sqlalchemy import Column, Text

from services.sla.storage.tables import SCHEMA, metadata

revision = "0002"
down_revision = "0001"

TABLES = ("basis", "seal", "seal_leaf")


def upgrade() -> None:
    """Add what is not there yet: the first revision creates a new database from the present tables."""
    for name in ("origin", "basis"):
        op.add_column("ledger", Column(name, Text, nullable=False, server_default=""), schema=SCHEMA, if_not_exists=True)
    found = metadata()
    found.create_all(op.get_bind(), tables=[found.tables[f"{SCHEMA}.{name}"] for name in TABLES], checkfirst=True)
