"""Tests of the stack of processes."""
