"""Tests of how recovery is measured."""
