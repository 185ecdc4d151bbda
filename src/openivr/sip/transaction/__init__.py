"""Transactions (RFC 3261 section 17): state tables, the layer that runs them, Via, timers."""
