"""The independent processes; they communicate through Kafka topics only."""
