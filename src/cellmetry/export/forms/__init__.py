"""Formats of labels in other programs, one module each; see `cellmetry.export.formats`."""
