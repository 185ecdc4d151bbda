"""Pages of calls: live and past calls, one call, and the calls behind a report's number."""
