"""Conditions compared at the level of independent replicates; what a test of cells would have said stands beside."""
