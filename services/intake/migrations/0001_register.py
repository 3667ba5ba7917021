"""The machinery's tables, the numbered books, complaints and refusals."""

import sqlalchemy as sa
from alembic import op

from shared.runtime.database.tables import create_runtime_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create all."""
    create_runtime_tables(op, "intake")  # type: ignore[arg-type]  # alembic offers its operations as a module
    op.create_table(
        "book",
        sa.Column("register", sa.Text, primary_key=True),
        sa.Column("year", sa.Integer, primary_key=True),
        sa.Column("last", sa.BigInteger, nullable=False),
        schema="intake",
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "complaint",
        sa.Column("case_id", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("number", "source", "channel")),
        sa.Column("external_id", sa.Text),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        schema="intake",
    )
    op.create_index("complaint_number", "complaint", ["number"], schema="intake")
    op.create_table(
        "refusal",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("via", "source", "reference", "reason", "faults")),
        sa.Column("refused_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        schema="intake",
    )
