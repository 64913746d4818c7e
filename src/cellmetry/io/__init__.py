"""Readers and writers: the one place where bytes come from and go to."""
