"""The configuration in the database: resources, prompts, scenarios, import and export."""
