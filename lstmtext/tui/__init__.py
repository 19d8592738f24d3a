"""The terminal UI: a reader of run folders and a front for the numpy engine. Never imports torch."""
