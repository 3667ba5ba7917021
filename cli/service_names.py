"""The names of the four services."""

SERVICES = ("intake", "triage", "sla", "notify")
"""In the order in which a complaint passes them; a service's schema in the database has its name."""
