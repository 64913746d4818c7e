"""Array functions and the steps that name them: no files, no servers, no heavy libraries."""
