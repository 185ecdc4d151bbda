"""What happens to calls, written down as it happens: see `entries`."""
