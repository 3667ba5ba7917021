"""Benchmarks, started by make bench only."""
