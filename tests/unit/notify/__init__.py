"""Notify decides, without any I/O."""
