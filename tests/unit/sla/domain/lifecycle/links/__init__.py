"""Tests of links between cases."""
