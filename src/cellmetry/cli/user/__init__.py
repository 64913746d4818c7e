"""`cellmetry user`: the accounts of a server, one module a command."""
