"""Trials of a procedure with other numbers, as they are kept."""
