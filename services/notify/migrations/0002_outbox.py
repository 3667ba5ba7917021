"""Messages bundled in the outbox."""

from alembic import op

from shared.runtime.database.tables import bundle_outbox

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Bundle what waits to be sent."""
    bundle_outbox(op, "notify")  # type: ignore[arg-type]  # alembic offers its operations as a module
