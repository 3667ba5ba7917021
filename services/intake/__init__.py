"""Intake: receives complaints by HTTP and Kafka, numbers them and publishes `registered`."""
