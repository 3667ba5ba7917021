"""Tests of what runs the servers on this machine."""
