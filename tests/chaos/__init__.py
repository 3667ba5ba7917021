"""Long runs under faults, started by make chaos only."""
