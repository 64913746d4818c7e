"""The resources of the REST API, one module each; every module has a `router`."""
