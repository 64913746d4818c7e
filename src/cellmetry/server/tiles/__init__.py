"""Tiles over HTTP: the bytes that lie on the disk, sent with as little in between as can be."""
