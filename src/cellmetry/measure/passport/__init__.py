"""The measurement passport: what speaks for and against each object's numbers, as values and flags."""
