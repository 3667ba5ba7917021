"""Checks of the organisation file: what its sources name, and its events across procedures."""
