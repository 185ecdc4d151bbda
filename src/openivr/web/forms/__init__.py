"""Forms: inputs, parsing, table cells, edit conflicts."""
