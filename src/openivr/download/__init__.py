"""Files that clients save: their names, and CSV for spreadsheets."""
