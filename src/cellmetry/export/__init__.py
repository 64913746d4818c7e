"""Formats of others: what label images, outlines and tables look like there, read and written."""
