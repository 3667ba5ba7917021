"""What providers decide, without a peer."""
