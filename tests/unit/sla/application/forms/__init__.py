"""Tests of forms as use cases."""
