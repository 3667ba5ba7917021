"""A file a provider: its table of statuses on top, one call below."""
