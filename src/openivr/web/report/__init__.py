"""Reports about calls: numbers become tables, tables become plots and files."""
