"""`WebApp`: the files of the web app, which lie in the package's folder `web` as they are sent."""

from __future__ import annotations

import mimetypes
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.staticfiles import StaticFiles

if TYPE_CHECKING:
    import os

    from starlette.responses import Response
    from starlette.types import Scope

__all__ = ["WEB", "WebApp"]

WEB = Path(str(files("cellmetry"))) / "web"


class WebApp(StaticFiles):
    """The app's scripts, styles and pictures; a browser asks each time whether it has the newest."""

    def __init__(self) -> None:
        mimetypes.add_type("text/javascript", ".js")  # Windows' registry may say text/plain, which no browser runs
        super().__init__(directory=WEB)

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """Return a file, to be asked for again before it is used again."""
        answer = super().file_response(full_path, stat_result, scope, status_code)
        answer.headers["cache-control"] = "no-cache"
        return answer
