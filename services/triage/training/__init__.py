"""Trains the served classifier on an organisation's own history; needs the extra `triage-train`, and no service imports it."""
