"""Heartbeats of the processes, by which a hanging process is noticed although it has not ended."""
