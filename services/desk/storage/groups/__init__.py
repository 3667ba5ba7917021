"""Reads groups of cases and their members."""
