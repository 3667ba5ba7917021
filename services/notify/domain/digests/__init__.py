"""Digests: the limits of a person, the placement of messages, and the lines of a digest."""
