"""Figures for a lead: counts of open cases, and events by day."""
