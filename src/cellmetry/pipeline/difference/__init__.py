"""Two folders of results compared: `diff`, and pictures of what changed."""
