"""The embedded PostgreSQL: its process, and how it runs unprivileged."""
