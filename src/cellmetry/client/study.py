"""`RemoteStudy`: a study on a server, by the same verbs as in the browser."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from cellmetry.client.connection import ServerError
from cellmetry.client.events import read_events
from cellmetry.client.images import ImageVerbs
from cellmetry.client.job_verbs import JobVerbs
from cellmetry.client.kept import KeptVerbs
from cellmetry.client.labels import LabelVerbs
from cellmetry.client.part import PAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["RemoteStudy"]

_AGAIN_S = 1.0
_TRIES = 60


class RemoteStudy(ImageVerbs, LabelVerbs, JobVerbs, KeptVerbs):
    """A study. What it returns are the dictionaries that the API's document describes, unless said otherwise."""

    def __repr__(self) -> str:
        return f"<study {self.name!r} ({self.id}) at {self._connection.url}>"

    @property
    def name(self) -> str:
        """What people call it."""
        return str(self.said["name"])

    def refresh(self) -> RemoteStudy:
        """Ask the server how it stands; return the study itself."""
        self.said = self._get("")
        return self

    def say(self, *, name: str | None = None, notes: str | None = None) -> RemoteStudy:
        """Name the study, or write notes to it; return the study itself."""
        body = {key: value for key, value in {"name": name, "notes": notes}.items() if value is not None}
        self.said = self._send("", body, method="PATCH")
        return self

    def history(self, *, before: int | None = None) -> list[dict[str, Any]]:
        """Return the last 1,000 acts of the study, newest first; older ones with `before`."""
        found: list[dict[str, Any]] = self._get("/acts", before=before, limit=PAGE)
        return found

    def act(self, act: int) -> dict[str, Any]:
        """Return one act of the history."""
        found: dict[str, Any] = self._get(f"/acts/{act}")
        return found

    def undo_act(self, act: int) -> dict[str, Any]:
        """Return the act that took another back."""
        found: dict[str, Any] = self._send(f"/acts/{act}/undo")
        return found

    def redo_act(self, act: int) -> dict[str, Any]:
        """Return the act that did another again."""
        found: dict[str, Any] = self._send(f"/acts/{act}/redo")
        return found

    def events(self, *, after: int | None = None) -> Iterator[dict[str, Any]]:
        """Yield acts of the study as they happen, by whoever: from now on, or after one that is known.

        An act that edited labels has ``edit``: their id and version, and what changed. The connection may break and
        come back meanwhile; it ends when you stop asking.

        Raises
        ------
        ServerError
            If the server does not come back.
        """
        seen = self.refresh().said["last_act"] if after is None else after
        broken = 0
        while True:
            try:
                headers = {"Last-Event-ID": str(seen)}
                path = self._path("/events")
                with self._connection.stream("GET", path, headers=headers, timeout=60.0) as answer:
                    for event in read_events(answer.iter_lines()):
                        broken = 0
                        if event.kind == "error":
                            raise ServerError(str(json.loads(event.data)["message"]))
                        found = json.loads(event.data)
                        seen = found["seq"]
                        yield found
            except ServerError:
                broken += 1
                if broken > _TRIES:
                    raise
            time.sleep(_AGAIN_S)

    def members(self) -> list[dict[str, Any]]:
        """Return who has which role, on a server with accounts."""
        found: list[dict[str, Any]] = self._get("/members")
        return found

    def give_role(self, who: str, role: str) -> None:
        """Make somebody a viewer, editor or owner of the study."""
        self._send(f"/members/{who}", {"role": role}, method="PUT")

    def take_role(self, who: str) -> None:
        """Take somebody's role away: the study is not there for them any more."""
        self._send(f"/members/{who}", method="DELETE")
