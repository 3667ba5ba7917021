"""The figures of management: the days on which a case counts, sums over cases, and their periods."""
