"""Triage's use cases."""
