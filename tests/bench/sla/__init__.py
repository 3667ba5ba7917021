"""Benches of sla."""
