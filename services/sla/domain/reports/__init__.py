"""Computes the statistics and handling times of a period, and the schedule of periodic duties."""
