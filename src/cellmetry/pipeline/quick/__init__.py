"""Quick answers about a field of an image of a study: previews and proposals, worked by processes that stay warm."""
