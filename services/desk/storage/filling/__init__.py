"""How the read model is filled: by batches of the consumer, or anew by a rebuild."""
