"""Benches of requests by HTTP: accepting, overload, latency at low load, and services at rest."""
