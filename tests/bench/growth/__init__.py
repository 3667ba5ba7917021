"""Benches of what grows: armed timers, open cases, and the memory of processes."""
