"""Settings of the server, YAML documents, and the configuration that calls use."""
