"""Packs, scenarios and random batches of events."""
