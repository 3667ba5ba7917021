"""Runs servers, services and sinks as processes on this machine."""
