"""Runs servers, services and sinks as processes of one machine."""
