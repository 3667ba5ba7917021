"""Intake's decisions as tables."""
