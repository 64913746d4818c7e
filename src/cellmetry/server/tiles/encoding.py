"""How the bytes of a tile are sent: as the zstd frame that they are, as gzip, or plain."""

from __future__ import annotations

import threading
from collections import OrderedDict
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import imagecodecs

from cellmetry.io.tile_store import decode_tile

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import numpy as np

__all__ = ["BodyCache", "Encoding", "encode_body", "encoding_for"]

Encoding = Literal["zstd", "gzip", "identity"]
_GZIP_LEVEL = 1


@lru_cache(maxsize=256)
def encoding_for(accepted: bytes, *, near: bool = False) -> Encoding:
    """Return how to send tiles to who sent this ``Accept-Encoding``; as plain bytes if nothing better is accepted.

    Parameters
    ----------
    near
        Whether who asks is on this computer, where packing by gzip costs more than it saves.
    """
    weights: dict[str, float] = {}
    for part in accepted.decode("latin-1").lower().split(","):
        name, _, rest = part.partition(";")
        weights[name.strip()] = _weight(rest)
    others = weights.get("*", 0.0)
    if weights.get("zstd", others) > 0:
        return "zstd"
    plain = weights.get("identity", weights.get("*", 1.0)) > 0
    return "gzip" if weights.get("gzip", others) > 0 and not (near and plain) else "identity"


def encode_body(
    frame: bytes, encoding: Encoding, shape: Sequence[int], dtype: np.dtype[np.generic], name: str
) -> bytes:
    """Return the body of an answer made of a zstd frame.

    Raises
    ------
    DamagedFile
        If the frame has to be decoded and is damaged; says `name`.
    """
    if encoding == "zstd":
        return frame
    raw = decode_tile(frame, shape, dtype, name).astype(dtype.newbyteorder("<"), copy=False).tobytes()
    return raw if encoding == "identity" else bytes(imagecodecs.gzip_encode(raw, level=_GZIP_LEVEL))


class BodyCache:
    """Bodies that took work to make, the ones used last, up to a number of bytes. Threads may share it."""

    def __init__(self, max_bytes: int = 128 << 20) -> None:
        self._max, self._size = max_bytes, 0
        self._lock = threading.Lock()
        self._bodies: OrderedDict[Hashable, bytes] = OrderedDict()

    def get(self, key: Hashable) -> bytes | None:
        """Return a body, None if it is not kept."""
        with self._lock:
            body = self._bodies.get(key)
            if body is not None:
                self._bodies.move_to_end(key)
            return body

    def put(self, key: Hashable, body: bytes) -> None:
        """Keep a body; those not used for longest go."""
        with self._lock:
            self._size += len(body) - len(self._bodies.pop(key, b""))
            self._bodies[key] = body
            while self._size > self._max:
                self._size -= len(self._bodies.popitem(last=False)[1])


def _weight(text: str) -> float:
    name, _, value = text.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0
