"""The hash chain of a ledger: each hash covers the previous one, so a changed, missing or exchanged event is detected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

import orjson

from shared.contracts.erasure.personal_values import erased_body, has_personal_fields

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


def personal_chain_hash(previous: bytes, body: bytes, key: bytes, fields: Mapping[str, Any] | None = None) -> bytes:
    """The hash of a case's event: of the event without its personal values, and of the hash of these under the case's personal key.

    It so stays right when the personal values and the key are erased (ADR 68). `fields` are the event's, where the caller has them.
    """
    # Most events are those of clocks, which hold nothing personal: parsing them again would double the cost of the chain.
    if fields is not None and not has_personal_fields(fields):
        return chain_hash(previous, body)
    return chain_hash(previous, erased_body(body, key))


def verify_chain(entries: Iterable[LedgerEntry], key: bytes | None = None) -> list[str]:
    """The faults of a ledger, one line each: changed, missing or exchanged events; empty if it is intact.

    `key` is the personal key of a case's ledger; the record of reports has none.
    """
    faults: list[str] = []
    previous, expected = GENESIS_HASH, 1
    for entry in entries:
        if entry.sequence != expected:
            faults.append(f"event {expected} is missing: event {entry.sequence} is in its place")
            expected = entry.sequence
        elif not _is_hash_of(entry, previous, key):
            faults.append(f"the hash of event {entry.sequence} does not match: the event or its hash was changed or exchanged")
        previous, expected = entry.hash, expected + 1
    return faults


def erased_chain(entries: Iterable[LedgerEntry], key: bytes) -> list[LedgerEntry]:
    """The entries without personal values; with new hashes from the first on that covers personal values themselves."""
    erased: list[LedgerEntry] = []
    previous, before, is_rebound = GENESIS_HASH, GENESIS_HASH, False
    for entry in entries:
        body = erased_body(entry.body, key)
        is_rebound = is_rebound or covers_personal_values(before, entry, key)
        previous, before = chain_hash(previous, body) if is_rebound else entry.hash, entry.hash
        erased.append(LedgerEntry(entry.sequence, body, previous))
    return erased


def covers_personal_values(previous: bytes, entry: LedgerEntry, key: bytes) -> bool:
    """Whether the entry has personal values and its hash is of these themselves, as versions without personal keys compute it."""
    return erased_body(entry.body, key) != entry.body and chain_hash(previous, entry.body) == entry.hash


def _is_hash_of(entry: LedgerEntry, previous: bytes, key: bytes | None) -> bool:
    # Also with a key: during an upgrade a process of the previous release, which knows none, appends to the same ledger.
    if chain_hash(previous, entry.body) == entry.hash:
        return True
    if key is None:
        return False
    try:
        # The hash is of the values, so that white space put between them would pass.
        is_canonical = canonical_json(orjson.loads(entry.body)) == entry.body
        return is_canonical and personal_chain_hash(previous, entry.body, key) == entry.hash
    except (ValueError, AttributeError, TypeError):  # changed so far that it is no event any more
        return False
