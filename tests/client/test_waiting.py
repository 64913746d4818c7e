"""Waiting for a job goes on where it was when the connection breaks."""

from __future__ import annotations

import httpx
import pytest

from cellmetry.client.connection import Connection
from cellmetry.client.events import ServerEvent, read_events
from cellmetry.client.jobs import JobFailed, RemoteJob
from cellmetry.errors import Cancelled

JOB = {"id": "job_1", "kind": "segment", "state": "queued", "error": "", "result": {}}


def event(number, done):
    return f'id: {number}\nevent: progress\ndata: {{"at": "x", "task": "images", "done": {done}, "total": 3}}\n\n'


class Server:
    """Tells a job's progress, breaks off twice, and then says how it ended."""

    def __init__(self, end):
        self.end, self.seen, self.streams = end, [], [event(1, 1), None, event(2, 3)]

    def __call__(self, request):
        if not request.url.path.endswith("/events"):
            return httpx.Response(200, json={**JOB, **({"state": "running"} if self.streams else self.end)})
        self.seen.append(request.headers["last-event-id"])
        text = self.streams.pop(0)
        if text is None:
            raise httpx.ReadError("broken", request=request)
        return httpx.Response(200, text=": here\n\n" + text)


class Heard:
    def __init__(self):
        self.units = []

    def start(self, task, total):
        self.units.append((task, total))

    def advance(self, units=1):
        self.units.append(units)


@pytest.fixture
def waiting(monkeypatch):
    monkeypatch.setattr("cellmetry.client.jobs._AGAIN_S", 0.0)

    def wait(end):
        server, heard = Server(end), Heard()
        job = RemoteJob(Connection("http://x", transport=httpx.MockTransport(server)), "study_1", JOB)
        return server, heard, lambda: job.wait(heard)

    return wait


def test_a_broken_connection_goes_on_after_the_last_event(waiting):
    server, heard, wait = waiting({"state": "done", "result": {"table": "res_1"}})
    assert wait().result == {"table": "res_1"}
    assert server.seen == ["0", "1", "1"]
    assert heard.units == [("images", 3), 1, 2]


@pytest.mark.parametrize(
    ("end", "error", "says"),
    [
        ({"state": "failed", "error": "No room."}, JobFailed, "No room"),
        ({"state": "interrupted"}, JobFailed, "resume"),
        ({"state": "cancelled"}, Cancelled, "finished images are kept"),
    ],
)
def test_a_job_that_is_not_done_is_an_error_that_says_why(waiting, end, error, says):
    _, _, wait = waiting(end)
    with pytest.raises(error, match=says):
        wait()


def test_events_are_read_whatever_comments_and_lines_they_have():
    lines = [": hello", "", "id: 7", "event: act", "data: a", "data: b", "", "data:c", "", "event: x", ""]
    assert list(read_events(lines)) == [ServerEvent("7", "act", "a\nb"), ServerEvent("7", "message", "c")]
