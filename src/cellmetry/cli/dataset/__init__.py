"""The commands `cellmetry dataset …`, one a file."""
