"""The revisions of triage's schema, in order; released ones are frozen."""
