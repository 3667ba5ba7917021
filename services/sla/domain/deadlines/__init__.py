"""Calendars, instants and durations: how a due instant is counted and explained; knows no case."""
