"""The lesson's time-series example, done properly: see docs/forecast.md."""
