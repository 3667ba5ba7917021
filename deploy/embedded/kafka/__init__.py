"""Apache Kafka without a container: its jars, Java, the class archive and the broker process."""
