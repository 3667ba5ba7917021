"""The deadline calculator of sla."""
