"""Mail: the server that it is sent by, and the queue."""
