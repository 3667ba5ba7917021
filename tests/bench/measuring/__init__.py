"""Measuring: results, processes, stacks, load and profiles."""
