"""Deciding at the desk: reviews, escalations, groups."""
