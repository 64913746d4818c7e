"""The server below a path: of a proxy that cuts the path off, of one that does not, of another application."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from cellmetry.server.mounting import mount_in
from cellmetry.server.settings import ServerSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

HEADERS = {"X-Cellmetry": "1"}


def test_it_works_below_the_path_of_a_proxy(serving: Any, tmp_path: Path) -> None:
    with serving.real_server(tmp_path / "home", "--root-path", "/cells/", "--proxy", "127.0.0.1") as server:
        bare = server.url.removesuffix("/cells")
        assert bare != server.url
        forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.5"}
        for base in (bare, f"{bare}/cells"):  # the proxy cuts the path off, or does not
            browser = httpx.Client(base_url=base, headers={**HEADERS, **forwarded})
            code = server.client().post("session/link").json()["url"].partition("token=")[2]
            answer = browser.get("/", params={"token": code})
            assert answer.headers["location"] == "/cells/"
            assert "path=/cells/;" in answer.headers["set-cookie"].lower()
            assert "secure" in answer.headers["set-cookie"].lower()
            cookie = {"Cookie": answer.headers["set-cookie"].partition(";")[0]}
            assert browser.get("/api/v1/studies", headers=cookie).status_code == 200
            assert browser.get("/api/v1/studies").status_code == 401
            page = browser.get("/", headers=cookie)
            assert page.status_code == 200
            assert 'href="/' not in page.text
            browser.close()
        assert server.client().get("openapi.json").json()["servers"] == [{"url": "/cells"}]
        bare_path = httpx.get(f"{bare}/cells?token=x", follow_redirects=False)
        assert (bare_path.status_code, bare_path.headers["location"]) == (307, f"{bare}/cells/?token=x")
        outside = httpx.get(f"{bare}/cellsapi/v1/health")
        assert outside.status_code in (401, 404)


@pytest.fixture
def outer(tmp_path: Path) -> tuple[FastAPI, FastAPI, list[str]]:
    """Another application with Cellmetry below /dualcellquant, and what it did."""
    said: list[str] = []

    @asynccontextmanager
    async def own(_: FastAPI) -> AsyncIterator[None]:
        said.append("begins")
        yield
        said.append("ends")

    application = FastAPI(lifespan=own)
    application.get("/own")(lambda: {"own": True})
    settings = ServerSettings(tmp_path / "home", mode="demo", names=("testserver",))
    return application, mount_in(application, "/dualcellquant", settings), said


def test_it_starts_and_ends_with_the_application_that_mounts_it(outer: Any) -> None:
    application, inner, said = outer
    with TestClient(application) as client:
        assert said == ["begins"]
        assert inner.state.service.awake
        assert client.get("/own").json() == {"own": True}
        assert client.get("/dualcellquant/api/v1/health").json()["status"] == "ok"
        page = client.get("/dualcellquant/")
        assert "path=/dualcellquant/;" in page.headers["set-cookie"].lower()
        made = client.post("/dualcellquant/api/v1/studies", json={"name": "within"}, headers=HEADERS)
        assert made.status_code == 201, made.text
        document = client.get("/dualcellquant/api/v1/openapi.json").json()
        assert document["servers"] == [{"url": "/dualcellquant"}]
    assert said == ["begins", "ends"]
    assert not inner.state.service.awake


def test_it_starts_at_the_first_request_of_an_application_that_never_starts(outer: Any) -> None:
    application, inner, said = outer

    async def ask() -> list[int]:
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver/dualcellquant") as client:
            asked = [client.get(path) for path in ("/", "/api/v1/health", "/api/v1/studies", "/own")]
            return [each.status_code for each in await asyncio.gather(*asked)]

    assert asyncio.run(ask()) == [200, 200, 200, 404]
    assert inner.state.service.awake
    assert said == []
    inner.state.service.stop()
