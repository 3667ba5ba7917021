"""The independent processes; they talk over Kafka topics alone."""
