"""The difference of two analyses in sentences, in pictures and as a page."""
