"""Runs scenarios on the services' pure cores with a simulated clock; the only I/O is reading scenario, procedure and organisation files."""
