"""From tables of cells to compared conditions: numbers, figures, report, and tables for others."""
