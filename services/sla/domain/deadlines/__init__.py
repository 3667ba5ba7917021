"""Computes and explains deadlines from calendars, instants and durations, independently of cases."""
