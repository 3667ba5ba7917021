"""Transports of submissions: each is a folder, with one line in `registry.TRANSPORTS`."""
