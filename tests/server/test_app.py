"""The server runs: front page, health, OpenAPI, a study is made, its end."""

from __future__ import annotations

import json
import re
import stat
import sys
from typing import TYPE_CHECKING, Any

import pytest

from cellmetry.errors import OutputError
from cellmetry.server.running import run_server
from cellmetry.server.settings import ServerSettings
from cellmetry.server.studies import OpenStudies

if TYPE_CHECKING:
    from pathlib import Path


def test_a_study_is_made_and_found(server: Any, client: Any) -> None:
    made = client.post("studies", json={"name": "Äpfel & <b>Birnen</b>"})
    assert made.status_code == 201, made.text
    study = made.json()
    assert client.get(f"studies/{study['id']}").json()["name"] == "Äpfel & <b>Birnen</b>"
    assert study["id"] in [each["id"] for each in client.get("studies").json()]
    folders = [each.name for each in server.home.glob("*.cellmetry")]
    assert "Apfel-b-Birnen-b.cellmetry" in folders


def test_studies_are_listed_page_by_page(server: Any, client: Any) -> None:
    for name in ("one", "two", "three"):
        client.post("studies", json={"name": name})
    every = [each["id"] for each in client.get("studies").json()]
    paged, after = [], {}
    while page := client.get("studies", params={"limit": 2, **after}).json():
        assert len(page) <= 2
        paged += [each["id"] for each in page]
        after = {"after": paged[-1]}
    assert paged == every
    assert client.get("studies", params={"after": "study_0000000000000000"}).status_code == 422
    assert client.get("studies", params={"limit": 0}).status_code == 422


@pytest.mark.parametrize(
    "name", ["CON", "..", "../../evil", "a" * 200, "名前", "x\ny", "<img onerror=alert(1)>", "=1+1"]
)
def test_names_are_text_and_never_paths(server: Any, client: Any, name: str) -> None:
    made = client.post("studies", json={"name": name})
    assert made.status_code == 201
    assert made.json()["name"] == " ".join(name.split())
    inside = [each for each in server.home.iterdir() if each.suffix == ".cellmetry"]
    study = f"studies/{made.json()['id']}"
    assert client.patch(study, json={"name": f" {name[:9]}  b"}).json()["name"] == f"{' '.join(name[:9].split())} b"
    for blank in (" ", "\n\t\u3000"):
        assert client.patch(study, json={"name": blank}).status_code == 422
        assert client.post("studies", json={"name": blank}).status_code == 422
    assert all(each.name.isascii() and each.stem.lower() not in ("con", "..", "") for each in inside)
    assert not (server.home.parent / "evil.cellmetry").exists()


def test_the_front_page_is_the_web_app(server: Any, client: Any) -> None:
    page = client.get(f"{server.url}/")
    assert page.status_code == 200
    for address in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        sent = client.get(f"{server.url}/{address}")
        assert sent.status_code == 200
        again = client.get(f"{server.url}/{address}", headers={"If-None-Match": sent.headers["etag"]})
        assert (again.status_code, again.headers["cache-control"]) == (304, "no-cache")


@pytest.mark.parametrize(
    "path", ["/", "/api/v1/health", "/api/v1/docs", "/nothing", "/api/v1/studies/x", "/pages/page.css", "/web/main.js"]
)
def test_every_answer_has_the_headers_of_security(server: Any, client: Any, path: str) -> None:
    headers = client.get(f"{server.url}{path}").headers
    assert headers["content-security-policy"].startswith("default-src 'self';")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "access-control-allow-origin" not in headers
    assert "server" not in headers


def test_the_openapi_document_says_how_to_sign_in_and_how_errors_look(server: Any, client: Any) -> None:
    document = client.get("openapi.json").json()
    assert set(document["components"]["securitySchemes"]) == {"token", "session"}
    assert document["security"]
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert "4XX" in operation["responses"], (method, path)
            assert operation.get("description"), (method, path)
            if method in ("post", "put", "patch", "delete"):
                assert "X-Cellmetry" in [each["name"] for each in operation["parameters"]]
    page = client.get("docs")
    assert all(path in page.text for path in document["paths"])


def test_errors_are_json_in_one_form(server: Any, client: Any) -> None:
    for answer in (
        client.get("studies/study_0123456789abcdef"),
        client.get("nothing"),
        client.put("health", json={}),
        client.post("studies", json={"name": "x", "more": 1}),
        client.post("studies", content=b"{", headers={"Content-Type": "application/json"}),
    ):
        assert 400 <= answer.status_code < 500
        assert set(answer.json()["error"]) >= {"kind", "message"}


def test_a_wrong_method_is_told_the_right_ones(server: Any, client: Any) -> None:
    for path, allowed in (("studies", "GET, POST"), ("studies/study_0123456789abcdef/members/x", "DELETE, PUT")):
        answer = client.patch(path, json={})
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


@pytest.mark.parametrize(
    "body",
    [
        b'{"name": NaN}',
        b'{"name": 1e308}',
        b'{"name": "\\ud800"}',
        b'{"\\ud800": 1}',
        b'{"name": ' + b"[" * 100_000,
        b'{"name": ' + b"9" * 5000 + b"}",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"name": ""}',
        b'{"name": "   "}',
        json.dumps({"name": "x" * 201}).encode(),
    ],
)
def test_wrong_json_is_refused(server: Any, client: Any, body: bytes) -> None:
    before = len(list(server.home.iterdir()))
    answer = client.post("studies", content=body, headers={"Content-Type": "application/json"})
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.json()["error"]["message"]
    assert len(list(server.home.iterdir())) == before


def test_a_second_server_of_a_home_and_a_taken_port_are_told(server: Any, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="runs already"):
        run_server(ServerSettings(server.home, port=0), print)
    port = int(server.url.rpartition(":")[2])
    with pytest.raises(OutputError, match=f"Port {port} is taken"):
        run_server(ServerSettings(tmp_path, port=port), print)
    assert server.client().get("health").status_code == 200


def test_it_ends_in_order_and_opens_again(serving: Any, tmp_path: Path) -> None:
    with serving.real_server(tmp_path / "home") as server:
        file = server.home / "server.json"
        if sys.platform != "win32":
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
        study = server.client().post("studies", json={"name": "kept"}).json()["id"]
        assert server.end() == 0
        assert not file.exists()
    with serving.real_server(tmp_path / "home") as server:
        assert [each["id"] for each in server.client().get("studies").json()] == [study]
        server.kill()
    studies = OpenStudies((tmp_path / "home",), "the test")
    assert [(name, store.read_only) for name, store in studies.find().items()] == [(study, "")]
    studies.close()
