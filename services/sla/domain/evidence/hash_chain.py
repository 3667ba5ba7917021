"""The hash chain of a ledger: each hash covers the previous one, so a changed, missing or exchanged event is detected."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Any, NamedTuple

import orjson

GENESIS_HASH = bytes(32)
"""The previous hash of the first event of a case."""


class LedgerEntry(NamedTuple):
    """One entry of a ledger: the event's canonical bytes and its hash."""

    sequence: int
    body: bytes
    hash: bytes


def canonical_json(event: dict[str, Any]) -> bytes:
    """An event as bytes that do not depend on the order of its fields: JSON, keys sorted, no spaces, UTF-8."""
    return orjson.dumps(event, option=orjson.OPT_SORT_KEYS)


def chain_hash(previous: bytes, body: bytes) -> bytes:
    """The hash of an event whose previous event has the hash `previous`."""
    return sha256(previous + body).digest()


def verify_chain(entries: Iterable[LedgerEntry]) -> list[str]:
    """The faults of a case's ledger, one line each: changed, missing or exchanged events; empty if it is intact."""
    faults: list[str] = []
    previous, expected = GENESIS_HASH, 1
    for entry in entries:
        if entry.sequence != expected:
            faults.append(f"event {expected} is missing: event {entry.sequence} is in its place")
            expected = entry.sequence
        elif chain_hash(previous, entry.body) != entry.hash:
            faults.append(f"the hash of event {entry.sequence} does not match: the event or its hash was changed or exchanged")
        previous, expected = entry.hash, expected + 1
    return faults
