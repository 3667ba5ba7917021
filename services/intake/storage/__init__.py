"""Intake's SQL."""
