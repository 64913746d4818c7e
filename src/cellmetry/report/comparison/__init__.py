"""Comparisons of conditions for readers: figures, tables, sentences, the report, and a script that draws them again."""
