"""Tests of the command line on the real Kafka and the real PostgreSQL."""
