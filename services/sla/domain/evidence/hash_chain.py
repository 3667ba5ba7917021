"""A case's events bound to each other by hashes, so that none can be changed, left out or exchanged unnoticed."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Any, NamedTuple

import orjson

GENESIS_HASH = bytes(32)
"""What stands before a case's first event."""


class LedgerEntry(NamedTuple):
    """One line of a ledger: the event's canonical bytes and its hash."""

    sequence: int
    body: bytes
    hash: bytes


def canonical_json(event: dict[str, Any]) -> bytes:
    """An event as bytes that do not depend on the order of its fields: JSON, keys sorted, no spaces, UTF-8."""
    return orjson.dumps(event, option=orjson.OPT_SORT_KEYS)


def chain_hash(previous: bytes, body: bytes) -> bytes:
    """The hash of an event that follows on the one with hash `previous`."""
    return sha256(previous + body).digest()


def verify_chain(entries: Iterable[LedgerEntry]) -> list[str]:
    """What is wrong with a case's ledger, in words: a changed event, a missing one, one in the wrong place; empty if it holds."""
    found: list[str] = []
    previous, expected = GENESIS_HASH, 1
    for entry in entries:
        if entry.sequence != expected:
            found.append(f"event {expected} is missing: event {entry.sequence} stands in its place")
            expected = entry.sequence
        elif chain_hash(previous, entry.body) != entry.hash:
            found.append(f"event {entry.sequence} does not fit the one before: it, or its hash, was changed or exchanged")
        previous, expected = entry.hash, expected + 1
    return found
