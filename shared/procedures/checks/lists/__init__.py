"""Checks of lists of cases."""
