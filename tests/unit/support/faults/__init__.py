"""Tests of what the tests use."""
