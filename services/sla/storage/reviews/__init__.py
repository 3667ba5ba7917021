"""All SQL on table `review`."""
