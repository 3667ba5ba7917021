"""The commands of `jiesu`, one module each, grouped by who uses them."""
