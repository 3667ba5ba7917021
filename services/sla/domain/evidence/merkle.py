"""The Merkle tree over the heads of all ledgers of a sealed year, hashed as in RFC 6962."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class MerkleProof:
    """The path from a leaf to the root: the hash of each sibling, and whether the sibling is on the left."""

    siblings: tuple[tuple[bytes, bool], ...]


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The root over the leaves; without leaves, the hash of nothing (RFC 6962, section 2.1)."""
    if not leaves:
        return sha256(b"").digest()
    level = [_leaf_hash(leaf) for leaf in leaves]
    while len(level) > 1:
        level = _parent_level(level)
    return level[0]


def inclusion_proof(leaves: Sequence[bytes], index: int) -> MerkleProof:
    """The proof that the leaf at an index is part of the root over all leaves."""
    siblings: list[tuple[bytes, bool]] = []
    level = [_leaf_hash(leaf) for leaf in leaves]
    while len(level) > 1:
        sibling = index ^ 1
        if sibling < len(level):
            siblings.append((level[sibling], sibling < index))
        level = _parent_level(level)
        index //= 2
    return MerkleProof(tuple(siblings))


def verify_inclusion(leaf: bytes, proof: MerkleProof, expected_root: bytes) -> bool:
    """Whether a proof leads from a leaf to the expected root."""
    node = _leaf_hash(leaf)
    for sibling, is_left in proof.siblings:
        node = _node_hash(sibling, node) if is_left else _node_hash(node, sibling)
    return node == expected_root


def _parent_level(level: Sequence[bytes]) -> list[bytes]:
    # A node without a sibling moves up unchanged; with leaves in order, that gives the tree of RFC 6962.
    return [_node_hash(*level[i : i + 2]) if i + 1 < len(level) else level[i] for i in range(0, len(level), 2)]


def _leaf_hash(data: bytes) -> bytes:
    return sha256(b"\x00" + data).digest()


def _node_hash(left: bytes, right: bytes) -> bytes:
    # The prefixes differ so that no node can be passed off as a leaf.
    return sha256(b"\x01" + left + right).digest()
