"""Benches of notify."""
