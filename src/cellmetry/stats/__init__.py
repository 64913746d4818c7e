"""Statistics: fits with intervals, quality of screens, fractions. Tables and arrays in, tables out."""
