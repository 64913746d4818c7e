"""Measurements of objects: one function a feature, one table of columns."""
