"""A study from images to a report: run, tables with the design in them, comparison, figures, report."""
