"""Tests on the real Kafka and the real PostgreSQL."""
