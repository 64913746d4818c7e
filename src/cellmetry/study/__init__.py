"""The study: images by reference, with what is known of them, in a folder ``NAME.cellmetry/``."""
