"""Processing of records: batches, inbox, failure isolation, breaker, redelivery."""
