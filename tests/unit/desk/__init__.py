"""The desk without I/O."""
