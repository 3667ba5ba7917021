"""The probe service's tables."""

import sqlalchemy as sa
from alembic import op

from shared.runtime.database.alembic_environment.script import execute_script
from shared.runtime.database.frozen_tables import RUNTIME_TABLES_0001, RUNTIME_TABLES_0002

revision = "0001"
down_revision = None


def upgrade() -> None:
    execute_script(RUNTIME_TABLES_0001)
    execute_script(RUNTIME_TABLES_0002)
    op.create_table("cases", sa.Column("id", sa.Text, primary_key=True), sa.Column("notes", sa.Integer, nullable=False), schema="probe")
    op.create_table(
        "notes",
        sa.Column("place", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("recorded", sa.DateTime(timezone=True), nullable=False),
        schema="probe",
    )
