"""The ways in: command line, REST, and what both need to show a report."""
