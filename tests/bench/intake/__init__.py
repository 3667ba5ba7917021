"""Benches of intake."""
