"""The HTTP API of the P-Series, `openapi/v1.0`."""
