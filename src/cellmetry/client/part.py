"""`StudyPart`: what the verbs of a study on a server have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cellmetry.client.connection import Connection

__all__ = ["PAGE", "StudyPart"]

PAGE = 1000
"""Lines of a list that are asked for at once."""


class StudyPart:
    """A study by its id, and the connection to its server.

    Parameters
    ----------
    said
        What the server said of the study last, as ``GET /studies/{study}`` answers.
    session
        Name of this program among those that edit: undo goes by it.
    """

    def __init__(self, connection: Connection, said: dict[str, Any], *, session: str) -> None:
        self._connection, self.said, self.session = connection, said, session

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.said["id"])

    def _path(self, below: str = "") -> str:
        return f"/studies/{self.id}{below}"

    def _get(self, below: str, **query: Any) -> Any:
        return self._connection.get(self._path(below), **query)

    def _send(self, below: str, body: Any = None, *, method: str = "POST") -> Any:
        return self._connection.send(self._path(below), body, method=method)

    def _act(self, below: str, body: Any = None, *, method: str = "POST") -> int:
        """Return the number of the act that a change made."""
        return int(self._send(below, body, method=method)["act"])

    def _all(self, below: str, *, by: str = "id", **query: Any) -> list[dict[str, Any]]:
        """Return the whole list of a resource that is paged by a field of its last line."""
        found: list[dict[str, Any]] = []
        after = None
        while page := self._get(below, after=after, limit=PAGE, **query):
            found += page
            after = page[-1][by]
        return found
