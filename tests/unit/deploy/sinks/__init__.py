"""Tests of the sinks' files."""
