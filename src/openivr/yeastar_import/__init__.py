"""Moving in: what another PBX has, read over its API and turned into entries for this server."""
