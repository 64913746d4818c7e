"""Counts: by instances, by density, both joined with an interval, in whole images and in regions."""
