"""The bytes of a leaf in a year seal's Merkle tree."""

from __future__ import annotations

from services.sla.domain.evidence import hash_chain


def encode_seal_leaf(case: str, sequence: int, head: bytes) -> bytes:
    """The bytes of a leaf: case, sequence and head, as canonical JSON."""
    return hash_chain.canonical_json({"case": case, "head": head.hex(), "sequence": sequence})
