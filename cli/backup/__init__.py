"""Base backups of PostgreSQL, their restore to a point in time, and the comparison of a restored database with the topics."""
