"""Calls without a phone: the menu core on a virtual clock."""
