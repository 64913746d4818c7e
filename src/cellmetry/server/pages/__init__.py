"""The few pages that the server shows by itself: what it is, and a list of its API."""
