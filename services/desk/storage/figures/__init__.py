"""Figures counted in the read model."""
