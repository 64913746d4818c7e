"""One module per image format; each imports its library at the top and is loaded on use."""
