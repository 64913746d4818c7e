"""The design of a study: what is known of each image, and what is wrong or doubtful with it."""
