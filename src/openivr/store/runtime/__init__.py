"""State of running calls processes: registrations, trunks, live calls, heartbeats."""
