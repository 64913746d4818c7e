"""Commands for jobs of a study."""
