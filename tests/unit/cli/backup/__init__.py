"""Backup without servers."""
