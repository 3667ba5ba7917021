"""Tests of the public wire format."""
