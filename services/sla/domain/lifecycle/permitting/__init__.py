"""Permitted actions on a case: extensions of clocks, and every action with the reason that forbids it."""
