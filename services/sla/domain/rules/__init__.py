"""A procedure compiled for deciding."""
