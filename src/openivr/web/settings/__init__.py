"""Pages of settings: server, sessions, backup, API access."""
