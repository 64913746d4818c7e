"""Figures of a comparison, drawn at the size of print with the legend that belongs to each."""
