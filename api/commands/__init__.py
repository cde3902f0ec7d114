"""One module per command; each exports `command` and imports nothing heavy before it runs."""
