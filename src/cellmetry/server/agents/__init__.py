"""Agents at the server: the verbs of the REST API as tools of the Model Context Protocol."""
