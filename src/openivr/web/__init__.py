"""The web admin: server-rendered pages on the same store functions as the API.

`core.middleware` is the application around all pages, `core.request` what a page handler gets, and one
sub-package per family has the pages.
"""
