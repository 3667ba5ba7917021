"""Batches of records: inbox, failure isolation, circuit breaker, redelivery."""
