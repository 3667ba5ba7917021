"""Trials of a procedure with other numbers on recorded cases: what would differ."""
