"""One-shot work: some files in, results out, nothing kept; what a service does without a study."""
