"""Conditions of procedures: CEL, compiled once."""
