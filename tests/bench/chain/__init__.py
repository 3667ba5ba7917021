"""Benches of the whole chain, from submission to message."""
