"""Images of a study on disk: how they get into it and how they are opened again."""
