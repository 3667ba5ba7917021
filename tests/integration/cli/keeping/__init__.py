"""Erasure and retention across all services, on real servers."""
