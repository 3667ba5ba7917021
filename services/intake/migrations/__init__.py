"""The revisions of intake's schema, in order; released ones are frozen."""
