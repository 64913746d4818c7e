"""`Client`: a running Cellmetry server from Python."""
