"""Digests: when messages to a person share one, and what it says."""
