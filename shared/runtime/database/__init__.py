"""PostgreSQL: pool, transactions, tables of the runtime, migrations."""
