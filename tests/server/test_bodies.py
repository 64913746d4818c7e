"""Bodies and headers that are too large, too slow, or not what they say; and nothing is asked of another host."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from cellmetry.server.app import FILE_PATHS, create_app
from cellmetry.server.settings import ServerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CODE = """
import sys
from pathlib import Path
home = Path(sys.argv[1])
asked = (home / "asked.txt").open("a")
def hook(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"):
        asked.write(f"{event} {arguments[1:]}\\n")
        asked.flush()
sys.addaudithook(hook)
from cellmetry.server.running import run_server
from cellmetry.server.settings import Limits, ServerSettings
limits = Limits(
    json_bytes=1000, stranger_bytes=50, json_values=100, upload_bytes=5000, idle_s=1.0, bytes_per_s=1000.0,
    header_s=1.0, connections=10,
)
run_server(ServerSettings(home, port=0, limits=limits), lambda address: print(address, flush=True))
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A server with very small limits: its URL, headers that let in, its home."""
    home = tmp_path_factory.mktemp("small")
    process = subprocess.Popen([sys.executable, "-c", CODE, str(home)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    url = process.stdout.readline().decode().partition("/?")[0]
    token = json.loads((home / "server.json").read_text())["token"]
    headers = (f"Authorization: Bearer {token}", "X-Cellmetry: 1", "Content-Type: application/json")
    try:
        yield url, headers, home
    finally:
        process.terminate()
        assert process.wait(60) == 0
        process.stdout.close()


def named(headers: tuple[str, ...]) -> dict[str, str]:
    return dict(each.split(": ", 1) for each in headers)


def n_studies(home: Path) -> int:
    return len(list(home.glob("*.cellmetry")))


def test_a_large_body_is_refused_by_its_length_and_by_what_comes(small: Any) -> None:
    url, headers, home = small
    body = json.dumps({"name": "x" * 1000}).encode()
    by_length = httpx.post(f"{url}/api/v1/studies", content=body, headers=named(headers))
    in_chunks = httpx.post(f"{url}/api/v1/studies", content=iter([body[:500], body[500:]]), headers=named(headers))
    for answer in (by_length, in_chunks):
        assert answer.status_code == 413, answer.text
        assert "1000 bytes" in answer.json()["error"]["message"]
    for path in ("predict", "count", "studies/study_0123456789abcdef/images", "studies/study_0123456789abcdef/uploads"):
        many = httpx.post(f"{url}/api/v1/{path}", files={"files": ("x", b"y" * 6000)}, headers=named(headers[:2]))
        assert (many.status_code, "5000 bytes" in many.text) == (413, True), many.text
    assert n_studies(home) == 0


def test_a_body_of_very_many_values_is_refused_before_it_is_read(small: Any) -> None:
    url, headers, home = small
    for values, status in ((101, 422), (102, 413)):
        body = json.dumps([0] * values).encode()
        answer = httpx.post(f"{url}/api/v1/studies", content=body, headers=named(headers))
        assert answer.status_code == status, answer.text
    assert "100 values" in answer.json()["error"]["message"]
    file = httpx.post(f"{url}/api/v1/predict", files={"other": ("x", b"," * 200)}, headers=named(headers[:2]))
    assert file.status_code == 422
    assert n_studies(home) == 0


def test_what_is_read_into_memory_is_small_even_if_it_is_called_a_form(small: Any) -> None:
    url, headers, home = small
    form = named((*headers[:2], "Content-Type: multipart/form-data; boundary=b"))
    for path in ("studies", "session/tokens", "studies/study_0123456789abcdef/images/register"):
        answer = httpx.post(f"{url}/api/v1/{path}", content=b"y" * 1001, headers=form)
        assert (answer.status_code, "1000 bytes" in answer.text) == (413, True), answer.text
    many = httpx.post(f"{url}/api/v1/studies", content=b"," * 200, headers=form)
    assert (many.status_code, "100 values" in many.text) == (413, True), many.text
    del form["Authorization"]
    for path, size, status in (("session", 50, 422), ("session", 51, 413), ("predict", 50, 401)):
        answer = httpx.post(f"{url}/api/v1/{path}", content=b"y" * size, headers=form)
        assert answer.status_code == status, answer.text
    assert n_studies(home) == 0


def test_every_route_that_takes_files_and_no_other_may_be_sent_much(tmp_path: Path) -> None:
    document = create_app(ServerSettings(tmp_path)).openapi()
    takes_files = {
        path
        for path, item in document["paths"].items()
        if "multipart/form-data" in item.get("post", {}).get("requestBody", {}).get("content", {})
    }
    assert takes_files == set(FILE_PATHS)


def test_a_connection_too_many_is_refused_in_json(small: Any) -> None:
    url, _, _ = small
    clients = [httpx.Client(base_url=url) for _ in range(10)]
    try:
        for each in clients:
            assert each.get("/api/v1/health").status_code == 200
        answer = httpx.get(f"{url}/api/v1/health")
        assert answer.status_code == 503
        assert answer.json()["error"]["kind"] == "Refused"
        assert answer.headers["connection"] == "close"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert int(answer.headers["retry-after"]) > 0
        assert clients[0].get("/api/v1/health").status_code == 200
    finally:
        for each in clients:
            each.close()
    for _ in range(100):
        if httpx.get(f"{url}/api/v1/health").status_code == 200:
            break
    else:
        raise AssertionError("closed connections still count")


def test_a_body_shorter_than_it_said_is_no_request(small: Any, raw: Any) -> None:
    url, headers, home = small
    head = raw.request_line(url, "/api/v1/studies", *headers, "Content-Length: 500", method="POST")
    stopped = raw.send_raw(url, head, b'{"name": "half')
    assert stopped.startswith(b"HTTP/1.1 408 ")
    assert b"stopped coming" in stopped
    raw.send_raw(url, head, b'{"name": "half"}', end=True)
    assert n_studies(home) == 0


def test_a_body_longer_than_it_said_is_cut(small: Any, raw: Any) -> None:
    url, headers, home = small
    head = raw.request_line(url, "/api/v1/studies", *headers, "Content-Length: 3", method="POST")
    assert raw.send_raw(url, head, b'{"name": "long"}').startswith(b"HTTP/1.1 422 ")
    assert n_studies(home) == 0


def test_a_slow_body_is_given_up(small: Any) -> None:
    url, headers, home = small

    def drops() -> Iterator[bytes]:
        import time

        for _ in range(60):
            yield b" "
            time.sleep(0.1)

    try:
        answer = httpx.post(f"{url}/api/v1/studies", content=drops(), headers=named(headers), timeout=30)
    except httpx.TransportError:
        pass  # the server closed the connection while we were still sending
    else:
        assert answer.status_code == 408
    assert n_studies(home) == 0
    assert httpx.get(f"{url}/api/v1/health").status_code == 200


def test_slow_headers_and_silence_are_given_up(small: Any, raw: Any) -> None:
    url, _, _ = small
    assert raw.send_raw(url) == b""
    assert raw.send_raw(url, b"GET / HTTP/1.1\r\nHost: ") == b""


def test_no_other_host_is_asked(small: Any) -> None:
    url, headers, home = small
    with httpx.Client(headers=named(headers)) as client:
        for path in ("/", "/api/v1/docs", "/api/v1/openapi.json", "/api/v1/studies"):
            assert client.get(f"{url}{path}").status_code == 200
        made = client.post(f"{url}/api/v1/studies", json={"name": "http://127.0.0.1:9/x"})
        assert made.status_code == 201
    assert (home / "asked.txt").read_text() == ""
