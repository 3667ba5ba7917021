"""Intake's channels."""
