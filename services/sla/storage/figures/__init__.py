"""Figures that a lead asks for: counts of open cases, and what happened by day."""
