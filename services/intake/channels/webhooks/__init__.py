"""Reads the calls of other systems: signature, body and fields."""
