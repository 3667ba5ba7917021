"""notify without I/O."""
