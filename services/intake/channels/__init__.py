"""Channels: a file each, a raw submission in, a complaint out; no I/O."""
