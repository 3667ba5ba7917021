"""notify: turns notification requests into deliveries, and attempts each until it is delivered or has visibly failed."""
