"""sla's use cases, as far as they need no database."""
