"""The messages of a pack, rendered as people would read them."""
