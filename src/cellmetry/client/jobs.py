"""`RemoteJob`: a job of a server's study: wait for it, cancel it, resume it."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from cellmetry.client.connection import ServerError
from cellmetry.client.events import read_events
from cellmetry.core.progress import SILENT
from cellmetry.errors import Cancelled, CellmetryError

if TYPE_CHECKING:
    from cellmetry.client.connection import Connection
    from cellmetry.core.progress import Progress

__all__ = ["ENDED", "JobFailed", "RemoteJob"]

ENDED = ("done", "failed", "cancelled", "interrupted")
_AGAIN_S = 1.0
_TRIES = 60
_SILENT_S = 60.0
"""A stream that says nothing for so long, not even that it is there, is broken."""


class JobFailed(CellmetryError):
    """A job ended without being done; the sentence is the server's."""


class RemoteJob:
    """A job.

    Parameters
    ----------
    said
        What the server said of it last, as ``GET …/jobs/{job}`` answers.
    """

    def __init__(self, connection: Connection, study: str, said: dict[str, Any]) -> None:
        self._connection, self._study, self.said = connection, study, said

    def __repr__(self) -> str:
        return f"<job {self.id}: {self.said['kind']}, {self.said['state']}>"

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.said["id"])

    @property
    def state(self) -> str:
        """Return queued, running, done, …, as it was when the server was asked last."""
        return str(self.said["state"])

    @property
    def result(self) -> dict[str, Any]:
        """Ids of what it made."""
        return dict(self.said["result"])

    def refresh(self) -> RemoteJob:
        """Ask the server how it stands; return the job itself."""
        self.said = self._connection.get(self._path)
        return self

    def wait(self, progress: Progress = SILENT) -> RemoteJob:
        """Return the job when it is done, after telling `progress` how far it is while it runs.

        The connection may break and come back meanwhile.

        Raises
        ------
        JobFailed
            If it failed or was interrupted; says why.
        Cancelled
            If it was cancelled.
        """
        seen, broken, teller = "0", 0, _Teller(progress)
        while True:
            try:
                if self.refresh().state in ENDED:
                    break
                seen = self._listen(seen, teller)
                broken = 0
            except ServerError:
                broken += 1
                if broken > _TRIES:
                    raise
                time.sleep(_AGAIN_S)
        if self.state == "cancelled":
            raise Cancelled(f"The job {self.id} ({self.said['kind']}) was cancelled; finished images are kept.")
        if self.state != "done":
            why = self.said["error"] or "the server ended while it ran; resume() goes on with it"
            raise JobFailed(f"The job {self.id} ({self.said['kind']}) {self.state}: {why}")
        return self

    def cancel(self) -> RemoteJob:
        """Stop it; finished images are kept."""
        self.said = self._connection.send(f"{self._path}/cancel")
        return self

    def resume(self) -> RemoteJob:
        """Go on with what an interrupted, cancelled or failed job has not done yet."""
        self.said = self._connection.send(f"{self._path}/resume")
        return self

    def log(self, *, after: int = 0, kind: str | None = None) -> list[dict[str, Any]]:
        """Return the lines of its log after a number (`seq`), of one kind or all, the oldest first."""
        found: list[dict[str, Any]] = []
        while lines := self._connection.get(f"{self._path}/log", after=after, kind=kind):
            found += lines
            after = lines[-1]["seq"]
        return found

    @property
    def _path(self) -> str:
        return f"/studies/{self._study}/jobs/{self.id}"

    def _listen(self, seen: str, teller: _Teller) -> str:
        """Return the number of the last event after hearing all until the stream ends."""
        headers = {"Last-Event-ID": seen}
        with self._connection.stream("GET", f"{self._path}/events", headers=headers, timeout=_SILENT_S) as answer:
            for event in read_events(answer.iter_lines()):
                seen = event.id or seen
                if event.kind == "progress":
                    teller.tell(**json.loads(event.data))
        return seen


class _Teller:
    """Tells a `Progress` of a job's events."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._task, self._done = progress, ("", -1), 0

    def tell(self, *, task: str, done: int, total: int, at: str = "") -> None:
        """Tell how far the job was at a time."""
        if (task, total) != self._task:
            self._task, self._done = (task, total), 0
            self._progress.start(task, total)
        if done > self._done:
            self._progress.advance(done - self._done)
            self._done = done
