"""Benches of triage."""
