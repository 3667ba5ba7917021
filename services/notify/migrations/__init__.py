"""The revisions of notify's schema, in order; released ones are frozen."""
