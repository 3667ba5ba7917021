"""`jiesu`, a file a command group; it alone may import services, and nothing imports it."""
