"""The machinery's tables, the known cases, the marks that count and the groups without a window."""

import sqlalchemy as sa
from alembic import op

from shared.runtime.database.tables import create_runtime_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create all."""
    create_runtime_tables(op, "triage")  # type: ignore[arg-type]  # alembic offers its operations as a module
    op.create_table(
        "known",
        sa.Column("case_id", sa.Text, primary_key=True),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in (
                *("procedure", "parameters", "complaint", "kind", "subject", "seen_kind", "seen_subject", "held_class", "held_rule"),
                *("assessed_class", "assessed_rule", "grouped_class", "grouped_rule", "keys"),
            )
        ),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("version", "sequence")),
        *(sa.Column(name, sa.Boolean, nullable=False) for name in ("pinned", "ended")),
        schema="triage",
    )
    op.create_table(
        "mark",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("procedure", "count", "key", "case_id")),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("complainant", "group_id")),
        schema="triage",
    )
    op.create_index("mark_received", "mark", ["procedure", "count", "key", "received_at"], schema="triage")
    op.create_index("mark_case", "mark", ["case_id"], schema="triage")
    op.create_table(
        "tally",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("procedure", "count", "key")),
        sa.Column("group_id", sa.Text, nullable=False),
        schema="triage",
    )
