"""Reads and writes tables `session` and `sign_in_attempt`; instants are real time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.runtime.database.database import Transaction

_COLUMNS = "cookie_hash, person, subject, provider_session, sealed, created_at, used_at, token_expires_at"
_INSERT = f"INSERT INTO session ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"  # noqa: S608 - constants
_SELECT = f"SELECT {_COLUMNS} FROM session WHERE cookie_hash = $1 AND created_at > $2 AND used_at > $3"  # noqa: S608 - constants
_TOUCH = "UPDATE session SET used_at = $2 WHERE cookie_hash = $1"
_RENEW = "UPDATE session SET sealed = $2, token_expires_at = $3 WHERE cookie_hash = $1"
_DELETE_OF_PROVIDER = """
DELETE FROM session WHERE ($1 <> '' AND provider_session = $1) OR ($1 = '' AND $2 <> '' AND subject = $2)
"""
_INSERT_ATTEMPT = """
INSERT INTO sign_in_attempt (state_hash, browser_hash, nonce, verifier, next_path, created_at) VALUES ($1, $2, $3, $4, $5, $6)
"""
# In one statement: of two requests with the same state one gets the row.
_TAKE_ATTEMPT = "DELETE FROM sign_in_attempt WHERE state_hash = $1 RETURNING browser_hash, nonce, verifier, next_path, created_at"
_PRUNE = "DELETE FROM session WHERE created_at <= $1 OR used_at <= $2"


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session: `sealed` are the tokens, `subject` and `provider_session` the provider's names for the person and his session there."""

    cookie_hash: bytes
    person: str
    subject: str
    provider_session: str
    sealed: str
    created_at: datetime
    used_at: datetime
    token_expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class SignInAttempt:
    """A browser that was sent to the identity provider, and what its answer has to fit."""

    browser_hash: bytes
    nonce: str
    verifier: str
    next_path: str
    created_at: datetime


async def insert_session(tx: Transaction, session: StoredSession) -> None:
    """Store a new session."""
    fields = (session.cookie_hash, session.person, session.subject, session.provider_session, session.sealed)
    await tx.execute(_INSERT, *fields, session.created_at, session.used_at, session.token_expires_at)


async def find_session(
    tx: Transaction, cookie_hash: bytes, created_after: datetime, used_after: datetime, *, for_update: bool = False
) -> StoredSession | None:
    """The session of a cookie that is within both limits."""
    row = await tx.fetchrow(f"{_SELECT} FOR UPDATE" if for_update else _SELECT, cookie_hash, created_after, used_after)
    return None if row is None else StoredSession(*row.values())


async def touch_session(tx: Transaction, cookie_hash: bytes, used_at: datetime) -> None:
    """Note that a session was used."""
    await tx.execute(_TOUCH, cookie_hash, used_at)


async def renew_tokens(tx: Transaction, cookie_hash: bytes, sealed: str, expires_at: datetime | None) -> None:
    """Replace the tokens of a session."""
    await tx.execute(_RENEW, cookie_hash, sealed, expires_at)


async def delete_session(tx: Transaction, cookie_hash: bytes) -> None:
    """End one session."""
    await tx.execute("DELETE FROM session WHERE cookie_hash = $1", cookie_hash)


async def delete_sessions_of_person(tx: Transaction, person: str) -> None:
    """End every session of a person."""
    await tx.execute("DELETE FROM session WHERE person = $1", person)


async def delete_sessions_of_provider(tx: Transaction, provider_session: str, subject: str) -> None:
    """End the sessions that belong to a session at the provider; without one those of the subject."""
    await tx.execute(_DELETE_OF_PROVIDER, provider_session, subject)


async def insert_attempt(tx: Transaction, state_hash: bytes, attempt: SignInAttempt) -> None:
    """Store an attempt to sign in."""
    fields = (attempt.browser_hash, attempt.nonce, attempt.verifier, attempt.next_path, attempt.created_at)
    await tx.execute(_INSERT_ATTEMPT, state_hash, *fields)


async def take_attempt(tx: Transaction, state_hash: bytes) -> SignInAttempt | None:
    """The attempt of a state, once: it is deleted."""
    row = await tx.fetchrow(_TAKE_ATTEMPT, state_hash)
    return None if row is None else SignInAttempt(*row.values())


async def prune(tx: Transaction, created_before: datetime, used_before: datetime, attempts_before: datetime) -> None:
    """Delete sessions past a limit and attempts that were given up."""
    await tx.execute(_PRUNE, created_before, used_before)
    await tx.execute("DELETE FROM sign_in_attempt WHERE created_at <= $1", attempts_before)
