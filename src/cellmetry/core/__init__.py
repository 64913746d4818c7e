"""The few data types that everything passes around: no input or output, no algorithm."""
