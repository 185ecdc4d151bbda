"""Holidays and contacts from outside: read, previewed and merged with the stored ones."""
