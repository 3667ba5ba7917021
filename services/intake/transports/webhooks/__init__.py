"""Webhooks: calls of other systems, mapped and verified by data."""
