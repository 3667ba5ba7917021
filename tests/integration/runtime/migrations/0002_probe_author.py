"""A later revision of the probe: a column with a value for the rows that are there."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("ALTER TABLE notes ADD author text NOT NULL DEFAULT 'unknown'")
