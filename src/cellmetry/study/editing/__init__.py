"""Editing labels: operations that a person or a program does to objects, each a set of named parameters."""
