"""Case 64 of the bad inputs: what a hostile page, network or program sends is refused and changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from cellmetry.errors import CellmetryError
from cellmetry.server.running import run_server
from cellmetry.server.settings import ServerSettings

if TYPE_CHECKING:
    from pathlib import Path

JSON = {"Content-Type": "application/json"}
HOSTILE_HEADERS = [
    ({"Host": "evil.example"}, 421),
    ({"Host": "127.0.0.1.evil.example"}, 421),
    ({"Host": "127.0.0.1@evil.example"}, 421),
    ({"Host": "192.168.0.1"}, 421),
    ({"Origin": "https://evil.example"}, 403),
    ({"Origin": "null"}, 403),
    ({"Origin": "http://127.0.0.1:1"}, 403),
    ({"Origin": "http://[::1"}, 403),
    ({"Sec-Fetch-Site": "cross-site"}, 403),
    ({"Sec-Fetch-Site": "same-site"}, 403),
    ({"X-Cellmetry": ""}, 403),
    ({"Content-Type": "text/plain"}, 415),
    ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ({"Content-Type": ""}, 415),
    ({"Authorization": "Bearer wrong"}, 401),
    ({"Authorization": ""}, 401),
]
TARGETS = [
    "/../../etc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/pages/../../../../etc/passwd",
    "/pages/..%2f..%2fsettings.py",
    "/pages/%5c%5chost%5cshare",
    "/api/v1/studies/..%2f..%2fetc",
    "/api/v1/studies/%00",
    "/api/v1/studies/%ff",
    "http://169.254.169.254/latest",
    "//evil.example/",
]


def studies(client: httpx.Client) -> list[Any]:
    return client.get("studies").json()


@pytest.mark.parametrize(("headers", "status"), HOSTILE_HEADERS)
def test_a_hostile_request_changes_nothing(server: Any, client: httpx.Client, headers: Any, status: int) -> None:
    before = studies(client)
    answer = client.post("studies", content=b'{"name": "evil"}', headers={**JSON, **headers})
    assert answer.status_code == status
    assert answer.json()["error"]["message"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert studies(client) == before


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Authorization": ""}])
def test_reading_needs_the_right_host_and_a_token(client: httpx.Client, headers: dict[str, str]) -> None:
    assert client.get("studies", headers=headers).status_code in (401, 421)


def test_without_a_body_the_header_is_needed_too(server: Any, client: httpx.Client) -> None:
    bare = {"Authorization": client.headers["Authorization"]}
    assert httpx.post(f"{server.url}/api/v1/session/link", headers=bare).status_code == 403
    assert client.post("session/link").status_code == 200


def test_no_preflight_is_answered(server: Any) -> None:
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = httpx.options(f"{server.url}/api/v1/studies", headers=asked)
    assert answer.status_code in (401, 405)
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("target", TARGETS)
def test_paths_lead_nowhere(server: Any, raw: Any, target: str) -> None:
    token = f"Authorization: Bearer {server.token}"
    answer = raw.send_raw(server.url, raw.request_line(server.url, target, token))
    assert answer.startswith((b"HTTP/1.1 404 ", b"HTTP/1.1 422 ", b"HTTP/1.1 400 ")), answer[:200]
    assert b'{"error":{"kind":' in answer
    assert b"root:" not in answer


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: 10", "Content-Length: 20"),
        ("Content-Length: -1",),
        ("Content-Length: 1e3",),
        ("Content-Length: 99999999999999999999",),
        ("X-Large: " + "x" * 40_000,),
        ("Host: evil.example",),
        ("no header",),
    ],
)
def test_wrong_headers_are_refused(server: Any, raw: Any, lines: tuple[str, ...]) -> None:
    token = f"Authorization: Bearer {server.token}"
    head = raw.request_line(
        server.url, "/api/v1/studies", token, "X-Cellmetry: 1", "Content-Type: application/json", *lines, method="POST"
    )
    answer = raw.send_raw(server.url, head)
    assert answer.startswith(b"HTTP/1.1 4"), answer[:100]
    assert b'"error"' in answer


def test_a_web_socket_is_not_opened(server: Any, raw: Any) -> None:
    lines = ("Upgrade: websocket", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Version: 13")
    answer = raw.send_raw(server.url, raw.request_line(server.url, "/api/v1/studies", *lines))
    assert answer.startswith(b"HTTP/1.1 4")


def test_a_one_time_address_lets_one_browser_in(server: Any) -> None:
    address = server.client().post("session/link").json()["url"]
    for opened in (server.printed.split("serves at ")[1].split()[0], address):
        browser = server.stranger()
        assert browser.get("/api/v1/studies").status_code == 401
        assert browser.get("/").status_code == 401
        first = browser.get(opened)
        assert first.status_code == 303
        assert first.headers["location"] == "/"
        cookie = first.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert browser.get("/api/v1/studies").status_code == 200
        assert browser.get("/").status_code == 200
        again = server.stranger()
        assert again.get(opened).status_code == 401
        assert again.get("/api/v1/studies").status_code == 401


def test_a_browser_makes_studies_from_its_own_page_only_and_signs_out(server: Any) -> None:
    browser = server.stranger()
    browser.get(server.client().post("session/link").json()["url"])
    own = {"X-Cellmetry": "1", "Origin": server.url, "Sec-Fetch-Site": "same-origin", "X-Cellmetry-Via": "web"}
    assert browser.post("/api/v1/studies", json={"name": "mine"}, headers=own).status_code == 201
    foreign = {**own, "Origin": "https://evil.example"}
    assert browser.post("/api/v1/studies", json={"name": "evil"}, headers=foreign).status_code == 403
    kept = dict(browser.cookies)
    assert browser.get("/api/v1/session").json()["signed_in"]
    assert browser.delete("/api/v1/session", headers=own).status_code == 204
    assert httpx.get(f"{server.url}/api/v1/studies", cookies=kept).status_code == 401


@pytest.mark.parametrize(
    ("host", "mode", "words"),
    [
        ("0.0.0.0", "laptop", "needs accounts"),
        ("example.org", "laptop", "needs accounts"),
        ("0.0.0.0", "server", "no accounts yet"),
        ("203.0.113.9", "demo", "cannot be listened at"),
    ],
)
def test_it_refuses_to_be_seen_without_accounts(tmp_path: Path, host: str, mode: Any, words: str) -> None:
    with pytest.raises(CellmetryError, match=words):
        run_server(ServerSettings(tmp_path, mode=mode, host=host, port=0), print)
