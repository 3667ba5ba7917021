"""Tests of the pages of a case."""
