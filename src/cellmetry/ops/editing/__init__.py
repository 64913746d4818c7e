"""Changes of label windows: what edits do to arrays of ids."""
