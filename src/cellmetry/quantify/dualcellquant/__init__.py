"""The rules of the program DualCellQuant, kept to the letter for comparison with results made by it.

Its peculiarities live here and nowhere else. What they are, and what other rule to take, is in the guide.
"""
