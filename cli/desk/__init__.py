"""Sources of a rebuild of the desk's read model."""
