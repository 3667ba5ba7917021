"""Triage's domain."""
