"""Settings, health, logging, metrics and supervised loops of a process."""
