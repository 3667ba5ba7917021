"""Clients of the channels: one file for each provider."""
