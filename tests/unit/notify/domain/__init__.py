"""notify's decisions, without I/O."""
