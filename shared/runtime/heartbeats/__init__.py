"""Heartbeats of the processes, by which a process that stands still is noticed although it has not ended."""
