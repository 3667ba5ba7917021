"""Views of a case for other services and for people: event mapping, redaction, clock view."""
