"""The model of a procedure: the entries that a pack may contain."""
