"""A server with the app, and a browser without window to use it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = os.environ.get("CELLMETRY_TEST_BROWSER") or shutil.which("chromium") or "/usr/bin/chromium"
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


@contextlib.contextmanager
def chromium() -> Iterator[Any]:
    """Yield a browser."""
    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=PROGRAM, args=ARGUMENTS)
        yield browser
        browser.close()


@contextlib.contextmanager
def served(home: Path) -> Iterator[str]:
    """Yield an address that lets a browser in to a server of a home folder."""
    command = [sys.executable, "-m", "cellmetry", "serve", "--home", str(home), "--port", "0", "--no-browser"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline() if process.stdout else ""
        url = line.split("serves at ")[1].split()[0].partition("/?")[0].rstrip("/")
        token = json.loads((home / "server.json").read_text())["token"]
        headers = {"Authorization": f"Bearer {token}", "X-Cellmetry": "1"}
        yield str(httpx.post(f"{url}/api/v1/session/link", headers=headers).json()["url"])
    finally:
        process.terminate()
        process.wait(60)
