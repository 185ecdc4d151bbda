"""Pages of calls: live and past calls, one call, drill-down from reports."""
