"""Trials of a regulation with other numbers, started and shown in the browser."""
