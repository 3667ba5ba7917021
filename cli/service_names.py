"""The names of the five services."""

from shared.contracts import topics

SERVICES = topics.SERVICES
"""In the order in which a complaint passes them; a service's schema in the database has its name."""
