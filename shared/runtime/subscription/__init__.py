"""The Kafka input of a service: consumer, rebalance listener, broker, subscription."""
