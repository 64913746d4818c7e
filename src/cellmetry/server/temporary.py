"""`TemporaryFile`: a download whose folder is removed when it was sent, or its receiver left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse

from cellmetry.server.downloading import download_headers

if TYPE_CHECKING:
    from tempfile import TemporaryDirectory

    from starlette.types import Receive, Scope, Send

    from cellmetry.pipeline.oneshot.answer import Sent

__all__ = ["TemporaryFile"]


class TemporaryFile(FileResponse):
    """A file in a temporary folder, which goes with it."""

    def __init__(self, sent: Sent, folder: TemporaryDirectory[str], **options: Any) -> None:
        super().__init__(sent.path, media_type=sent.media_type, **options)
        self.headers.update(download_headers(sent.name))
        self._folder = folder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file and remove its folder."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await run_in_threadpool(self._folder.cleanup)
