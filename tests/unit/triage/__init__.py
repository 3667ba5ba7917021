"""Triage's decisions as tables."""
