"""Without the optional library the server runs, and its endpoint of agents says what to install."""

from __future__ import annotations

import sys

from fastapi.testclient import TestClient

from cellmetry.server.app import create_app
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
