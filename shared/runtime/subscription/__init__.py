"""A service's Kafka input: consumer, broker wiring, rebalances."""
