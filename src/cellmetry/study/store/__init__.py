"""The study on disk: state in SQLite, labels as OME-Zarr with a log of edits, tables as Parquet."""
