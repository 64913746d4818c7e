"""Masks in cells and what is measured on them: all that needs files or arrays on disk beside `ops` and `measure`."""
