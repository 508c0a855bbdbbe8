"""Words for people: tables, numbers, times and lists, the same on a terminal, in Markdown and in CSV files."""
