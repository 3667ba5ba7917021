"""Webhooks for receivers without Kafka."""
