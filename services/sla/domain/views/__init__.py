"""Cases as others see them: event mapping, redaction, clocks."""
