"""Departments that can take a case at an instant."""
