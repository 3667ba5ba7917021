"""Backup and restore on servers of their own."""
