"""What runs, what waits and what failed, from heartbeats, the broker, the database and, beside `jiesu up`, its processes and logs."""
