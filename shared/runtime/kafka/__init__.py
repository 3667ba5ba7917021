"""The Kafka client: connection, records, partitioner, producer, offsets, watermark, topics."""
