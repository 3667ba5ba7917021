"""Tests of the running processes together."""
