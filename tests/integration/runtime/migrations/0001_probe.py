"""The probe service's tables."""

import sqlalchemy as sa
from alembic import op

from shared.runtime.database.tables import create_runtime_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_runtime_tables(op, "probe")  # type: ignore[arg-type]
    op.create_table("cases", sa.Column("id", sa.Text, primary_key=True), sa.Column("notes", sa.Integer, nullable=False), schema="probe")
    op.create_table(
        "notes",
        sa.Column("place", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("recorded", sa.DateTime(timezone=True), nullable=False),
        schema="probe",
    )
