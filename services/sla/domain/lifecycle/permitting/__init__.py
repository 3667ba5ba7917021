"""What may be done with a case now: extensions of clocks, and every action with the reason that forbids it."""
