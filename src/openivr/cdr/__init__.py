"""Call detail records: the journal of the calls process, and the worker that copies it to the database."""
