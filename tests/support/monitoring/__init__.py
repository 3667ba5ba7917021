"""Prometheus and Alertmanager over the running system, for tests."""
