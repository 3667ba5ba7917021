"""The Merkle tree over the heads of all ledgers of a sealed year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class MerkleProof:
    """The siblings from a leaf up to the Merkle root: each sibling's hash, and whether it is the left node."""

    siblings: tuple[tuple[bytes, bool], ...]


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The Merkle root of leaves (RFC 6962: leaves and nodes are hashed with different prefixes)."""
    if not leaves:
        return sha256(b"").digest()
    level = [_leaf_hash(leaf) for leaf in leaves]
    while len(level) > 1:
        level = [_node_hash(*level[i : i + 2]) for i in range(0, len(level), 2)]
    return level[0]


def inclusion_proof(leaves: Sequence[bytes], index: int) -> MerkleProof:
    """The proof that the leaf at an index is included in the root of all leaves."""
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
    # RFC 6962: a node without a sibling is not hashed again, but becomes a node of the next level.
    return left if right is None else sha256(b"\x01" + left + right).digest()
