"""The review queue: reads it, leases reviews to people, decides on them."""
