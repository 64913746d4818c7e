"""`python -m cellmetry`: the command line."""

from cellmetry.cli.app import main

main()
