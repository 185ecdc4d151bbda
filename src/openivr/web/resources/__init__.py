"""Pages of extensions, groups, trunks and routes: one list and one form for every resource type."""
