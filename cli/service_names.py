"""The names of the five services."""

SERVICES = ("intake", "triage", "sla", "notify", "desk")
"""In the order in which a complaint passes them; a service's schema in the database has its name."""
