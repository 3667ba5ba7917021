"""Triage: decides kind, class, subject and department of each complaint, and counts across cases."""
