"""Model cards, packaged weights and their verification."""
