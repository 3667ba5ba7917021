"""What the same records cost without our decisions: bare aiokafka, and the skeleton of our deliveries."""
