"""Previews of messages for people who may read their case."""
