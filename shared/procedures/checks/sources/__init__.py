"""Checks of what sources name: column maps and webhooks."""
