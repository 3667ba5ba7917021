"""Triage: decides kind, class, subject and department of each complaint, and finds groups of cases."""
