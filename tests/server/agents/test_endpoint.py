"""The endpoint of agents within other applications, behind proxies, and without the optional library."""

from __future__ import annotations

import sys

from fastapi import FastAPI
from fastapi.testclient import TestClient

from cellmetry.server.app import create_app
from cellmetry.server.mounting import mount_in
from cellmetry.server.settings import ServerSettings


def test_without_the_library_the_endpoint_says_what_to_install(tmp_path, monkeypatch):
    for name in [each for each in sys.modules if each.partition(".")[0] in ("mcp", "mcp_types")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "cellmetry.server.agents.protocol", raising=False)
    monkeypatch.setitem(sys.modules, "mcp", None)
    app = create_app(ServerSettings(home=tmp_path / "home"))
    token = app.state.gate.token
    with TestClient(app, base_url="http://127.0.0.1") as client:
        answer = client.post("/mcp", json={}, headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.json()["error"]["kind"]) == (501, "MissingExtra")
        assert "pip install 'cellmetry[mcp]'" in answer.json()["error"]["message"]
        assert client.get("/api/v1/health").status_code == 200


def ask(client, path, token, tool, **arguments):
    """The answer of a tool, asked as plain HTTP."""
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json, text/event-stream"}
    answer = client.post(path, json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]["structuredContent"]


def test_agents_ask_below_a_path_of_another_application(tmp_path):
    outer = FastAPI()
    inner = mount_in(outer, "/cells", ServerSettings(home=tmp_path / "home"))
    with TestClient(outer, base_url="http://127.0.0.1") as client:
        token = inner.state.gate.token
        made = ask(client, "/cells/mcp", token, "create_study", title="a")
        assert [each["id"] for each in ask(client, "/cells/mcp", token, "list_studies")["items"]] == [made["id"]]


def test_agents_ask_below_a_path_of_a_proxy_that_cuts_it_off_or_not(tmp_path):
    app = create_app(ServerSettings(home=tmp_path / "home", root_path="/cells"))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        for path in ("/mcp", "/cells/mcp"):
            assert ask(client, path, app.state.gate.token, "list_studies") == {"items": []}
