"""Triage's revisions."""
