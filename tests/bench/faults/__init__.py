"""How soon throughput is back after a fault."""
