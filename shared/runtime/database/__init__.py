"""PostgreSQL: pool, transactions, the runtime's tables, migrations."""
