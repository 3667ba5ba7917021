"""Tests of the reading pages, and of trials."""
