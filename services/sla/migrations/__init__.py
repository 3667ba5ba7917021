"""The revisions of sla's schema, in order."""
