"""People and the ledger in a database: SQLite for one machine, PostgreSQL beyond."""
