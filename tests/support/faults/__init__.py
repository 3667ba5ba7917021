"""Faults for the running system: planned from a seed, injected at random instants, and a check of what they did."""
