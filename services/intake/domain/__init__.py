"""Intake's decisions: registration, masking, numbering; no I/O."""
