"""Stands in for identity providers."""
