"""The processes of a server: HTTP workers, calls, CDR worker, and the supervisor that runs them."""
