"""A server that ends while a page is open, and comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def opened(browser: Any) -> Iterator[Callable[[Any], tuple[Any, str]]]:
    """Return the function that makes a study on a server and opens it in a page."""
    context = browser.new_context()

    def opened(server: Any) -> tuple[Any, str]:
        page, client = context.new_page(), server.client()
        study = client.post("studies", json={"name": "Long night"}).json()["id"]
        page.goto(client.post("session/link").json()["url"])
        page.evaluate("study => cellmetry.place.go(study, 'images')", study)
        page.get_by_role("button", name="Long night", exact=True).wait_for()
        return page, study

    yield opened
    context.close()


def test_a_page_says_that_the_server_is_away_and_goes_on_by_itself(
    serving: Any, opened: Any, tmp_path: Path, until: Any
) -> None:
    with serving.real_server(tmp_path / "home") as server:
        page, study = opened(server)
        until(page, "cellmetry.step === 'images'")
        server.kill()
        page.evaluate("cellmetry.study.jobs.load()")
        page.get_by_text("The server cannot be reached.").wait_for()
    with serving.real_server(tmp_path / "home", "--port", str(urlsplit(server.url).port)) as server:
        page.get_by_text("The server cannot be reached.").wait_for(state="hidden")
        server.client().patch(f"studies/{study}", json={"name": "Next morning"})
        page.get_by_role("button", name="Next morning", exact=True).wait_for()
        assert page.evaluate("cellmetry.step") == "images"


def test_a_page_that_the_server_knows_no_more_stays_until_somebody_signs_in(
    serving: Any, opened: Any, tmp_path: Path, until: Any
) -> None:
    with serving.real_server(tmp_path / "home") as server:
        page, _ = opened(server)
        until(page, "cellmetry.step === 'images'")
        server.kill()
    (tmp_path / "home" / "sessions.json").unlink()
    with serving.real_server(tmp_path / "home", "--port", str(urlsplit(server.url).port)) as server:
        page.get_by_text("You are signed out.").wait_for()
        page.context.new_page().goto(server.client().post("session/link").json()["url"])
        page.get_by_text("You are signed out.").wait_for(state="hidden")
        assert page.evaluate("cellmetry.step") == "images"
