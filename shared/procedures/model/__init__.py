"""The procedure model: what a pack may contain."""
