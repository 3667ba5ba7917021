"""Declares tables `session` (who is signed in) and `sign_in_attempt` (who is on the way to the identity provider)."""

from sqlalchemy import Column, DateTime, Index, LargeBinary, MetaData, Table, Text


def add_session_tables(schema_metadata: MetaData) -> None:
    """Add the tables to the desk's schema; cookies and states are stored as SHA-256 hashes, tokens sealed under a key of the cookie."""
    session = Table(
        "session",
        schema_metadata,
        Column("cookie_hash", LargeBinary, primary_key=True),
        *(Column(name, Text, nullable=False) for name in ("person", "subject", "provider_session", "sealed")),
        *(Column(name, DateTime(timezone=True), nullable=False) for name in ("created_at", "used_at")),
        Column("token_expires_at", DateTime(timezone=True)),
    )
    Index("session_person", session.c.person)
    Index("session_created", session.c.created_at)
    attempt = Table(
        "sign_in_attempt",
        schema_metadata,
        Column("state_hash", LargeBinary, primary_key=True),
        Column("browser_hash", LargeBinary, nullable=False),
        *(Column(name, Text, nullable=False) for name in ("nonce", "verifier", "next_path")),
        Column("created_at", DateTime(timezone=True), nullable=False),
    )
    Index("sign_in_attempt_created", attempt.c.created_at)
