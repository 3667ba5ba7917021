"""Triage's SQL."""
