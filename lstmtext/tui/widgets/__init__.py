"""Widgets whose drawing is done by pure functions."""
