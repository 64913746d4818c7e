"""Recipes, batches and their records."""
