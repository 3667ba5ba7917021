"""Intake's revisions."""
