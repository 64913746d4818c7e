"""File names: which pattern tells a study's images apart, and what the names do not say."""
