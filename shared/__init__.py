"""Shared by the services: contracts, procedures, runtime, command line."""
