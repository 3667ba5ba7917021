"""Heartbeats of the processes: sent, read by all others, so that one that stands still is seen although it has not ended."""
