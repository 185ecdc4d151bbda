"""Snapshots in memory that follow the configuration revision."""
