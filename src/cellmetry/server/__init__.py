"""Cellmetry over HTTP: thin routes over studies and the pipeline."""
