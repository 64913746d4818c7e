"""Tables of a study, asked for page by page: filtered, sorted, only the columns that are wanted."""
