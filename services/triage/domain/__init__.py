"""Triage's decisions: pure functions without I/O, clock and random numbers."""
