"""Holidays from outside: national holidays and files, previewed and merged with the stored ones."""
