"""Computes and explains deadlines from calendars, instants and durations; knows no case."""
