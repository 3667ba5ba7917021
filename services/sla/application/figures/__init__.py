"""Sets the gauges of cases and of the last month."""
