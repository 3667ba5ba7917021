"""The hash chain over the events of a case, which detects a changed, missing or swapped event."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Any, NamedTuple

import orjson

GENESIS_HASH = bytes(32)
"""The previous hash of a case's first event."""


class LedgerEntry(NamedTuple):
    """One entry of a ledger: the event's sequence number, its canonical JSON and its hash."""

    sequence: int
    body: bytes
    hash: bytes


def canonical_json(event: dict[str, Any]) -> bytes:
    """An event as bytes that do not depend on the order of its fields: JSON, keys sorted, no spaces, UTF-8."""
    return orjson.dumps(event, option=orjson.OPT_SORT_KEYS)


def chain_hash(previous: bytes, body: bytes) -> bytes:
    """The SHA-256 of an event's canonical JSON after the hash of the event before it."""
    return sha256(previous + body).digest()


def verify_chain(entries: Iterable[LedgerEntry]) -> list[str]:
    """The faults of a ledger, one text each: changed, missing and misplaced events; empty if there are none."""
    faults: list[str] = []
    previous, expected = GENESIS_HASH, 1
    for entry in entries:
        if entry.sequence != expected:
            faults.append(f"event {expected} is missing: event {entry.sequence} comes in its place")
            # Continue from the event that is there: one gap is one fault.
            expected = entry.sequence
        elif chain_hash(previous, entry.body) != entry.hash:
            faults.append(f"event {entry.sequence} does not fit the event before it: it or its hash was changed or swapped")
        previous, expected = entry.hash, expected + 1
    return faults
