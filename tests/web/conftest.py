"""A real server, a real browser, and a page that lets no fault of the app pass."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass, field
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
POLICY = "Content Security Policy"


@pytest.fixture(scope="session")
def serving() -> Any:
    """Return the module `real_server` of the tests of the server."""
    return _load("real_server", Path(__file__).parents[1] / "server" / "real_server.py")


@pytest.fixture(scope="module")
def server(serving: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A real server of mode laptop, with an empty home folder; images may be registered below `server.home.parent`."""
    folder = tmp_path_factory.mktemp("web")
    with serving.real_server(folder / "home", "--root", str(folder)) as running:
        yield running


@pytest.fixture(scope="module")
def api(server: Any) -> Any:
    """A client of the REST API of `server`; its URLs are below ``/api/v1/``."""
    return server.client()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser without window."""
    program = os.environ.get("CELLMETRY_TEST_BROWSER") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed (CELLMETRY_TEST_BROWSER may name the program)")
    with sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield chromium
        chromium.close()


@dataclass
class Faults:
    """What went wrong in pages: errors, refusals of the content policy, requests to other hosts."""

    origin: str
    seen: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)

    def allow(self, text: str) -> None:
        """Let faults pass that have this text, as an expected ``status of 409`` or ``ERR_CONNECTION_REFUSED``."""
        self.allowed.append(text)

    def watch(self, page: Any) -> None:
        """Note what goes wrong in a page."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.seen.append(f"error: {error}"))
        page.on("request", self._request)

    def left(self) -> list[str]:
        """Return the faults that nobody allowed."""
        return [each for each in self.seen if not any(text in each for text in self.allowed)]

    def _console(self, message: Any) -> None:
        if message.type == "error" or POLICY in message.text:
            self.seen.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.origin, "data:", "blob:", "about:")):
            self.seen.append(f"request to another host: {request.url}")


@pytest.fixture
def faults(server: Any) -> Faults:
    """The faults of this test's pages; `faults.allow(text)` lets expected ones pass."""
    return Faults(server.url)


@pytest.fixture
def signed_in(server: Any, browser: Any, faults: Faults) -> Iterator[Any]:
    """Return the function that opens a page of a further person's window: `signed_in(width=1280, height=720)`."""
    contexts = []

    def opened(*, width: int = 1280, height: int = 720, theme: str = "dark") -> Any:
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme)
        contexts.append(context)
        context.set_default_timeout(15_000)
        page = context.new_page()
        faults.watch(page)
        page.goto(server.client().post("session/link").json()["url"])
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not faults.left(), "\n".join(faults.left())


@pytest.fixture
def page(signed_in: Any) -> Any:
    """A page that shows the app of `server`, signed in; the test fails if anything goes wrong in it."""
    return signed_in()


@pytest.fixture(scope="session")
def until() -> Any:
    """Return the function that waits until an expression is true in a page: `until(page, "cellmetry.study !== null")`.

    Playwright's own `wait_for_function` evaluates text in the page, which the content policy forbids.
    """

    def wait(page: Any, expression: str, seconds: float = 30.0) -> Any:
        for _ in range(int(seconds * 20)):
            found = page.evaluate(expression)
            if found:
                return found
            page.wait_for_timeout(50)
        raise AssertionError(f"Never true: {expression}\nThe page says:\n{page.inner_text('body')[:4000]}")

    return wait


@pytest.fixture(scope="session")
def pictures() -> Any:
    """Return the module `pictures`: images with known cells, as bytes of TIFF files."""
    return _load("pictures", Path(__file__).parent / "pictures.py")


@pytest.fixture(scope="session")
def squares() -> Any:
    """Return the module `correct_study`: a study of squares, and a hand in the step Correct."""
    return _load("correct_study", Path(__file__).parent / "correct_study.py")


@pytest.fixture(scope="session")
def fields() -> Any:
    """Return the module `train_study`: a study of corrected fields that a model can learn from."""
    return _load("train_study", Path(__file__).parent / "train_study.py")


def _load(name: str, place: Path) -> Any:
    spec = spec_from_file_location(f"tests_web_{name}", place)
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module
