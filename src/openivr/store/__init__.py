"""The database: tables, statements, and caches of what they hold. No other package builds SQL."""
