"""A server that ends while a page is open, and comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from pathlib import Path


def test_a_page_says_that_the_server_is_away_and_goes_on_by_itself(
    serving: Any, browser: Any, tmp_path: Path, until: Any
) -> None:
    context = browser.new_context()
    page = context.new_page()
    with serving.real_server(tmp_path / "home") as server:
        client = server.client()
        study = client.post("studies", json={"name": "Long night"}).json()["id"]
        page.goto(client.post("session/link").json()["url"])
        page.evaluate("study => cellmetry.place.go(study, 'images')", study)
        page.get_by_role("button", name="Long night", exact=True).wait_for()
        until(page, "cellmetry.step === 'images'")
        server.kill()
        page.evaluate("cellmetry.study.jobs.load()")
        page.get_by_text("The server cannot be reached.").wait_for()
        port = urlsplit(server.url).port
    with serving.real_server(tmp_path / "home", "--port", str(port)) as server:
        page.get_by_text("You are signed out.").wait_for()
        client = server.client()
        other = context.new_page()
        other.goto(client.post("session/link").json()["url"])
        page.get_by_text("You are signed out.").wait_for(state="hidden")
        client.patch(f"studies/{study}", json={"name": "Next morning"})
        page.get_by_role("button", name="Next morning", exact=True).wait_for()
        assert page.evaluate("cellmetry.step") == "images"
    context.close()
