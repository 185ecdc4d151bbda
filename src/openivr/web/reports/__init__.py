"""Reports: numbers become tables, tables become plots and files."""
