"""Statistics of a period, handling times, and the schedule of periodic duties."""
