"""notify's baseline: deliveries, parts and event numbers.

Frozen: a released revision is never edited and imports no model; a change is a new revision.
"""

from shared.runtime.database.alembic_environment.script import execute_script
from shared.runtime.database.frozen_tables import RUNTIME_TABLES_0001

revision = "0001"
down_revision = None

_TABLES = """
CREATE TABLE case_sequence (
    case_id text NOT NULL,
    value bigint NOT NULL,
    PRIMARY KEY (case_id)
);
CREATE TABLE delivery (
    id uuid NOT NULL,
    case_id text NOT NULL,
    notification text NOT NULL,
    recipient text NOT NULL,
    channel text NOT NULL,
    template text NOT NULL,
    because text NOT NULL,
    status text NOT NULL,
    due_at timestamptz NOT NULL,
    address text NOT NULL,
    subject text NOT NULL,
    text text NOT NULL,
    reason text NOT NULL,
    traceparent text,
    lane text DEFAULT '' NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    fence bigint DEFAULT 0 NOT NULL,
    first_due_at timestamptz NOT NULL,
    reference text DEFAULT '' NOT NULL,
    provider text DEFAULT '' NOT NULL,
    parts integer DEFAULT 0 NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    settled_at timestamptz,
    PRIMARY KEY (id)
) WITH (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000, autovacuum_vacuum_cost_delay = 0,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 5000
);
CREATE INDEX delivery_case ON delivery (case_id);
CREATE INDEX delivery_due ON delivery (channel, due_at) WHERE status = 'pending';
CREATE INDEX delivery_settled ON delivery (settled_at) WHERE status != 'pending';
CREATE TABLE delivery_part (
    provider text NOT NULL,
    reference text NOT NULL,
    delivery uuid,
    status text DEFAULT '' NOT NULL,
    code text DEFAULT '' NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    PRIMARY KEY (provider, reference)
) WITH (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000, autovacuum_vacuum_cost_delay = 0,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 5000
);
CREATE INDEX delivery_part_created ON delivery_part (created_at);
CREATE INDEX delivery_part_delivery ON delivery_part (delivery);
"""


def upgrade() -> None:
    """Create every table of the schema, which the connection's search path names."""
    execute_script(RUNTIME_TABLES_0001)
    execute_script(_TABLES)
