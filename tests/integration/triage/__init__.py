"""Triage against a real broker and a real database."""
