"""The commands `cellmetry study …`, one a file."""
