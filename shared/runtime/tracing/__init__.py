"""Traces: the context of the running code, and spans where tracing is configured."""
