"""Live calls and notes about calls."""
