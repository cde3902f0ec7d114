"""A report for people: terminal text, Markdown, JSON."""
