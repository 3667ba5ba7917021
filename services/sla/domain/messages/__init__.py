"""Values of messages about a case, which notify renders."""
