"""Gateways and servers that the peers of providers run."""
