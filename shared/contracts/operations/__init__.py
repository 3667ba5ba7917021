"""Messages of processes to operators and to each other."""
