"""Uploads of files: forms of several parts, and imports from them."""
