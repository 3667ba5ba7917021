"""Runs scenarios on the services' pure cores with a simulated clock; no I/O."""
