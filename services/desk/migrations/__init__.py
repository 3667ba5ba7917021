"""Revisions of the schema desk."""
