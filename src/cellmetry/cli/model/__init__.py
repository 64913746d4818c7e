"""The commands `cellmetry model …`, one a file."""
