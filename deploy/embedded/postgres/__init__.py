"""PostgreSQL without a container: its process, and how it runs as an unprivileged user."""
