"""Pages of menus: list, editor, draft."""
