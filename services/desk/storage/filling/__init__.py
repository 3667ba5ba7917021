"""How the read model is filled: by batches of the consumer, or by a rebuild."""
