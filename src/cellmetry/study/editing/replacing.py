"""Replacing: a program says what each pixel of a window is."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
from numcodecs.zstd import Zstd
from pydantic import Field, model_validator

from cellmetry.core.image import Box
from cellmetry.errors import ParameterError
from cellmetry.study.editing.operation import LARGEST_ID, Change, EditOperation, LabelView

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Replace"]

_MOST_PIXELS = 1 << 22
_MOST_LISTED = 1 << 18
_MOST_TEXT = 1 << 23
_MAGIC, _LONGEST_HEADER = bytes((0x28, 0xB5, 0x2F, 0xFD)), 5
_Edge = Annotated[int, Field(ge=0, le=1_000_000)]
_Value = Annotated[int, Field(ge=0, le=LARGEST_ID)]


class Replace(EditOperation):
    """Replace the ids of a window. Ids above all that were ever used are new objects."""

    name: ClassVar[str] = "replace"

    box: tuple[_Edge, _Edge, _Edge, _Edge]
    """First row, row after the last, first column, column after the last: 4 megapixels at most."""
    values: tuple[_Value, ...] | None = Field(None, max_length=_MOST_LISTED)
    """The ids row by row."""
    zstd: str | None = Field(None, max_length=_MOST_TEXT)
    """Instead of `values`: the ids as little-endian uint32, compressed by zstd, in base64."""

    @model_validator(mode="after")
    def _one_form(self) -> Replace:
        y0, y1, x0, x1 = self.box
        if not (y0 < y1 and x0 < x1):
            raise ValueError("The box is [first row, row after the last, first column, column after the last].")
        if (y1 - y0) * (x1 - x0) > _MOST_PIXELS:
            raise ValueError(f"The box has more than {_MOST_PIXELS:,} pixels; replace it in parts.")
        if (self.values is None) == (self.zstd is None):
            raise ValueError("Give either values or zstd.")
        if self.values is not None and len(self.values) != (y1 - y0) * (x1 - x0):
            raise ValueError(f"There are {len(self.values)} values for {y1 - y0} × {x1 - x0} pixels.")
        return self

    def changes(self, view: LabelView) -> list[Change]:
        """Return the box with its new ids.

        Raises
        ------
        ParameterError
            If the box is not inside the image, the values are not what they should be, or an id is too large.
        """
        box = Box(*self.box)
        height, width = view.plane_shape
        if box.y1 > height or box.x1 > width:
            raise ParameterError(f"The box is not inside the image of {height} × {width} pixels.")
        after = self._after(box.shape)
        view.reach(int(after.max()))
        return [Change(self.t, self.z, box, after)]

    def _after(self, shape: tuple[int, int]) -> NDArray[np.uint32]:
        if self.values is not None:
            return np.array(self.values, np.uint32).reshape(shape)
        try:
            frame = base64.b64decode(self.zstd or "", validate=True)
            needed = shape[0] * shape[1] * 4
            if content_size(frame) != needed:
                raise ValueError(f"its header does not say {needed} bytes")
            after = np.empty(shape, "<u4")
            Zstd().decode(frame, out=after)
        except (binascii.Error, RuntimeError, ValueError) as error:
            raise ParameterError(f"zstd: not {shape[0]} × {shape[1]} ids in base64 ({error}).") from error
        return after.astype(np.uint32)


def content_size(frame: bytes) -> int | None:
    """Return the number of bytes that a zstd frame says it holds (RFC 8878, 3.1.1.1), None if it does not say."""
    if len(frame) < _LONGEST_HEADER or frame[:4] != _MAGIC:
        return None
    flag, single, dictionary = frame[4] >> 6, frame[4] >> 5 & 1, frame[4] & 3
    start = 5 + (not single) + (0, 1, 2, 4)[dictionary]
    length = (single, 2, 4, 8)[flag]
    said = int.from_bytes(frame[start : start + length], "little")
    return (said + 256 if length == 2 else said) if length else None
