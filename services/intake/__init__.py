"""Intake: takes complaints in from every channel and registers them under gapless numbers."""
