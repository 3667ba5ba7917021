"""Tell people: requests become deliveries, which are tried until they arrive or have visibly failed."""
