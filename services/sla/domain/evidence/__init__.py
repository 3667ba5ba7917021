"""The evidence of a case's history: hash chain, Merkle tree, replay."""
