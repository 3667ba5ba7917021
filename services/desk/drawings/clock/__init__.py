"""The picture of one clock: what counted, what did not, and when the deadline is due."""
