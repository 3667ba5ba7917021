"""Erasure without a database."""
