"""The web admin: server-rendered pages on the same store functions as the API.

`view` says what a page is given and how it answers, `server` is the application that stands in front of all
pages (sign-in, forged requests, headers), and one module per family has the pages.
"""
