"""The only SQL. One schema and one set of statements for SQLite and PostgreSQL."""
