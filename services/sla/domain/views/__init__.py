"""Cases as other services and users read them: event mapping, redaction, clocks."""
