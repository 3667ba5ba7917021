"""The Merkle tree of a sealed year: roots and inclusion proofs."""

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from services.sla.domain.evidence.merkle import inclusion_proof, merkle_root, verify_inclusion


@given(st.integers(1, 40), st.data())
def test_proof_leads_from_its_own_leaf_to_the_root_only(number: int, data: st.DataObject) -> None:
    leaves = [f"leaf {index}".encode() for index in range(number)]
    index = data.draw(st.integers(0, number - 1))
    root, proof = merkle_root(leaves), inclusion_proof(leaves, index)
    assert verify_inclusion(leaves[index], proof, root)
    assert not verify_inclusion(b"another", proof, root)
    assert not verify_inclusion(leaves[index], proof, merkle_root([*leaves, b"one more"]))


def test_root_without_leaves_differs_from_the_root_of_an_empty_leaf() -> None:
    assert merkle_root([]) != merkle_root([b""])


def test_root_of_three_leaves_is_that_of_rfc_6962() -> None:
    first, second, third = (sha256(b"\x00" + leaf).digest() for leaf in (b"a", b"b", b"c"))
    pair = sha256(b"\x01" + first + second).digest()
    assert merkle_root([b"a", b"b", b"c"]) == sha256(b"\x01" + pair + third).digest()
