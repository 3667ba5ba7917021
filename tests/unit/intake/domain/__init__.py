"""Intake's domain."""
