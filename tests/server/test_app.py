"""The server runs: front page, health, OpenAPI, a study is made."""

from __future__ import annotations

from typing import Any


def test_a_study_is_made_and_found(server: Any, client: Any) -> None:
    made = client.post("studies", json={"name": "Äpfel & <b>Birnen</b>"})
    assert made.status_code == 201, made.text
    study = made.json()
    assert client.get(f"studies/{study['id']}").json()["name"] == "Äpfel & <b>Birnen</b>"
    assert [each["id"] for each in client.get("studies").json()] == [study["id"]]
