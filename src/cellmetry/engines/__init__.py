"""Engines turn an image into labels; everything around `predict` is written once, in `segment`."""
