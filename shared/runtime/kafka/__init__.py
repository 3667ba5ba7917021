"""Kafka: connection, records, partitioner, producer, offsets, watermark, topics, signatures."""
