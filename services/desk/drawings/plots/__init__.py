"""Plots of figures: bars by period with a ratio, and distributions."""
