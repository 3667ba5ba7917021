"""The revisions of notify's schema, in order."""
