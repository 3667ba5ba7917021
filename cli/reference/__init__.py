"""Generates the reference pages, golden schemas and examples from the code."""
