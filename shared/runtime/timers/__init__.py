"""Due instants as rows, and leased work queues."""
