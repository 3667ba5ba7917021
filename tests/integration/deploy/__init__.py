"""Tests of deploy on the real Kafka and the real PostgreSQL."""
