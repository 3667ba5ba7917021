"""The transactional outbox and the relay that sends it to Kafka."""
