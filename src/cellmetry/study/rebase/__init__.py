"""Rebase: what people corrected survives when a better model segments an image again."""
