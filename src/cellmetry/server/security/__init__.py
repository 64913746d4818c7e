"""Who may do what: visitors, tokens, accounts, roles, and what is refused before any route sees it."""
