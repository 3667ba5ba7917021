"""The evidence archive of sla."""
