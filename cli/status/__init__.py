"""Processes, waiting work and failures, from heartbeats, the broker, the database and, beside `jiesu up`, its processes and logs."""
