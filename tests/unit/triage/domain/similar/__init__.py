"""Tests of groups and of who is one person."""
