"""The states of a call, one module a family: menus, dial by name, voicemail, dialling, destinations."""
