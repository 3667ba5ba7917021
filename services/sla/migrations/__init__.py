"""The revisions of sla's schema, in order; released ones are frozen."""
