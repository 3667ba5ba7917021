"""Adds sessions and attempts to sign in."""

from shared.runtime.database.alembic_environment.script import execute_script

revision = "0002"
down_revision = "0001"

_TABLES = """
CREATE TABLE IF NOT EXISTS session (
    cookie_hash bytea NOT NULL,
    person text NOT NULL,
    subject text NOT NULL,
    provider_session text NOT NULL,
    sealed text NOT NULL,
    created_at timestamptz NOT NULL,
    used_at timestamptz NOT NULL,
    token_expires_at timestamptz,
    PRIMARY KEY (cookie_hash)
);
CREATE INDEX IF NOT EXISTS session_person ON session (person);
CREATE INDEX IF NOT EXISTS session_created ON session (created_at);
CREATE TABLE IF NOT EXISTS sign_in_attempt (
    state_hash bytea NOT NULL,
    browser_hash bytea NOT NULL,
    nonce text NOT NULL,
    verifier text NOT NULL,
    next_path text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (state_hash)
);
CREATE INDEX IF NOT EXISTS sign_in_attempt_created ON sign_in_attempt (created_at);
"""


def upgrade() -> None:
    """Create the tables."""
    execute_script(_TABLES)
