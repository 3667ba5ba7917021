"""notify with a real broker, a real database and real peers."""
