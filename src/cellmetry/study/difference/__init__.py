"""What differs between two analyses of the same images: what was asked, how it was done, what came out."""
