"""The embedded Apache Kafka: jars, Java, class archive and the broker process."""
