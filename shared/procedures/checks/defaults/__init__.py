"""Checks of what the engine's default rules ask of a procedure."""
