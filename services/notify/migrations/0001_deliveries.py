"""The machinery's tables, the deliveries and the running numbers."""

import sqlalchemy as sa
from alembic import op

from shared.runtime.database.tables import QUEUE_AUTOVACUUM, create_runtime_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create all."""
    create_runtime_tables(op, "notify")  # type: ignore[arg-type]  # alembic offers its operations as a module
    op.create_table(
        "delivery",
        sa.Column("id", sa.Uuid, primary_key=True),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("case_id", "notification", "recipient", "channel", "template", "because", "status")
        ),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("address", "subject", "text", "reason")),
        sa.Column("traceparent", sa.Text),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("fence", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("first_due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reference", sa.Text, nullable=False, server_default=""),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("settled_at", sa.DateTime(timezone=True)),
        schema="notify",
        postgresql_with=QUEUE_AUTOVACUUM,
    )
    op.create_index("delivery_due", "delivery", ["channel", "due_at"], schema="notify", postgresql_where=sa.text("status = 'pending'"))
    op.create_index("delivery_settled", "delivery", ["settled_at"], schema="notify", postgresql_where=sa.text("status <> 'pending'"))
    op.create_index("delivery_case", "delivery", ["case_id"], schema="notify")
    op.create_table(
        "case_sequence",
        sa.Column("case_id", sa.Text, primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
        schema="notify",
    )
