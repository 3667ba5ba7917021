"""A case's events bound to each other by hashes, so that none can be changed, left out or exchanged unnoticed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class MerkleProof:
    """The way from a leaf to a Merkle root: each sibling's hash, and whether it stands on the left."""

    siblings: tuple[tuple[bytes, bool], ...]


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


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The Merkle root of leaves (RFC 6962: leaves and nodes are hashed with different prefixes)."""
    if not leaves:
        return sha256(b"").digest()
    level = [_leaf_hash(leaf) for leaf in leaves]
    while len(level) > 1:
        level = [_node_hash(*level[i : i + 2]) for i in range(0, len(level), 2)]
    return level[0]


def inclusion_proof(leaves: Sequence[bytes], index: int) -> MerkleProof:
    """That the leaf at an index belongs to the root of all leaves."""
    siblings: list[tuple[bytes, bool]] = []
    level = [_leaf_hash(leaf) for leaf in leaves]
    while len(level) > 1:
        other = index ^ 1
        if other < len(level):
            siblings.append((level[other], other < index))
        level = [_node_hash(*level[i : i + 2]) for i in range(0, len(level), 2)]
        index //= 2
    return MerkleProof(tuple(siblings))


def verify_inclusion(leaf: bytes, proof: MerkleProof, expected_root: bytes) -> bool:
    """Whether a proof leads from a leaf to a root."""
    reached = _leaf_hash(leaf)
    for sibling, left in proof.siblings:
        reached = _node_hash(sibling, reached) if left else _node_hash(reached, sibling)
    return reached == expected_root


def _leaf_hash(data: bytes) -> bytes:
    return sha256(b"\x00" + data).digest()


def _node_hash(left: bytes, right: bytes | None = None) -> bytes:
    # A node without a partner goes up as it is.
    return left if right is None else sha256(b"\x01" + left + right).digest()
