"""Deadlines: a short notation, and a slow count as a reference."""
