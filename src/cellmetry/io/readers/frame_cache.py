"""`LastFrame`: keeps the last decoded frame of formats that decode frames whole, so that tiles of it are cheap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from numpy.typing import NDArray

__all__ = ["LastFrame"]

_KEPT_BYTES = 64_000_000


class LastFrame:
    """One remembered frame; not sent along to other processes."""

    def __init__(self) -> None:
        self._kept: tuple[Hashable, NDArray[Any]] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {"_kept": None}

    def get(self, key: Hashable, read: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """Return the frame of this key, from memory or by `read`."""
        kept = self._kept
        if kept is not None and kept[0] == key:
            return kept[1]
        frame = read()
        self._kept = (key, frame) if frame.nbytes <= _KEPT_BYTES else None
        return frame
