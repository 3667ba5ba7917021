"""Benches of the desk."""
