"""Run-length codes of masks: Kaggle's starts and lengths in four conventions, and COCO's counts.

Kaggle's form is text, ``start length start length …``; pixels are numbered along rows or along columns, from 0 or from
1. COCO's form is the lengths of alternating runs of background and object along columns, as a list of numbers or packed
into text, six bits a character (the format of pycocotools' ``maskApi``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from cellmetry.errors import DamagedFile
from cellmetry.ops.instances import Instance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "KAGGLE_DSB",
    "SARTORIUS",
    "RleForm",
    "decode_coco_counts",
    "decode_rle",
    "encode_coco_counts",
    "encode_rle",
    "pack_counts",
    "unpack_counts",
]

_CONTINUES, _SIGN, _BITS, _FIRST = 0x20, 0x10, 5, 48


@dataclass(frozen=True)
class RleForm:
    """How pixels are numbered: along ``row`` or ``column`` first, and whether the first is 0 or 1."""

    order: Literal["row", "column"] = "row"
    first: Literal[0, 1] = 0


KAGGLE_DSB = RleForm("column", 1)
"""Data Science Bowl 2018."""
SARTORIUS = RleForm("row", 1)
"""Sartorius cell instance segmentation, 2021."""


def decode_rle(text: str, shape: tuple[int, int], form: RleForm) -> Instance:
    """Return the object that starts and lengths describe, in an image of `shape` (Y, X). Empty text: no pixel.

    Raises
    ------
    DamagedFile
        If it is not pairs of whole numbers, or a run leaves the image.
    """
    try:
        numbers = np.array(text.split(), np.int64)
    except (ValueError, OverflowError) as error:
        raise DamagedFile(f"a run-length code must be whole numbers, not {text[:40]!r}.") from error
    if numbers.size % 2:
        raise DamagedFile(f"a run-length code has {numbers.size} numbers; it is pairs of start and length.")
    starts, lengths = numbers[::2] - form.first, numbers[1::2]
    total = shape[0] * shape[1]
    if numbers.size and (starts.min() < 0 or lengths.min() < 1 or (starts + lengths).max() > total):
        raise DamagedFile(
            f"a run-length code leaves the image of {shape[0]} × {shape[1]} pixels or has a run of no length; check "
            f"size, order ({form.order}) and first pixel ({form.first})."
        )
    return _instance(starts, lengths, shape, form.order)


def encode_rle(mask: NDArray[np.bool_], form: RleForm) -> str:
    """Return starts and lengths of the runs of a mask (Y, X)."""
    starts, lengths = _runs(mask, form.order)
    return " ".join(map(str, np.column_stack([starts + form.first, lengths]).ravel().tolist()))


def decode_coco_counts(counts: str | bytes | Sequence[int], shape: tuple[int, int]) -> Instance:
    """Return the object of COCO's ``counts``, packed or as a list, in an image of `shape` (Y, X).

    Raises
    ------
    DamagedFile
        If the text is not such a code, or the runs do not add up to the pixels of the image.
    """
    lengths = unpack_counts(counts) if isinstance(counts, str | bytes) else _whole_numbers(counts)
    total = shape[0] * shape[1]
    if (lengths.size and lengths.min() < 0) or int(lengths.sum()) != total:
        raise DamagedFile(
            f"the counts of a COCO run-length code add up to {int(lengths.sum())} pixels, but the image has "
            f"{shape[0]} × {shape[1]}."
        )
    starts = np.cumsum(lengths) - lengths
    kept = np.flatnonzero(lengths[1::2]) * 2 + 1
    return _instance(starts[kept], lengths[kept], shape, "column")


def encode_coco_counts(mask: NDArray[np.bool_]) -> list[int]:
    """Return COCO's ``counts`` of a mask (Y, X): lengths of runs of background and object along columns."""
    starts, lengths = _runs(mask, "column")
    ends = starts + lengths
    gaps = starts - np.concatenate([np.zeros(1, np.int64), ends])[:-1]
    counts: list[int] = np.column_stack([gaps, lengths]).ravel().tolist()
    rest = mask.size - (int(ends[-1]) if ends.size else 0)
    return [*counts, rest] if rest or not counts else counts


def pack_counts(counts: Sequence[int]) -> str:
    """Return COCO's counts as text: from the fourth on as the difference to the last but one, five bits a sign."""
    signs = []
    for place, count in enumerate(counts):
        value = int(count) - int(counts[place - 2]) if place > 2 else int(count)
        while True:
            bits, value = value & 0x1F, value >> _BITS
            done = value == (-1 if bits & _SIGN else 0)
            signs.append(chr((bits if done else bits | _CONTINUES) + _FIRST))
            if done:
                break
    return "".join(signs)


def unpack_counts(text: str | bytes) -> NDArray[np.int64]:
    """Return the counts that text packs.

    Raises
    ------
    DamagedFile
        If it holds another character, ends within a number, or gives a negative count.
    """
    codes = [code - _FIRST for code in (text.encode("utf-8") if isinstance(text, str) else text)]
    counts: list[int] = []
    value, shift = 0, 0
    for code in codes:
        if not 0 <= code < 64 or shift > 60:
            raise DamagedFile("a packed COCO run-length code holds a character that no such code has.")
        value |= (code & 0x1F) << shift
        shift += _BITS
        if not code & _CONTINUES:
            value -= (1 << shift) if code & _SIGN else 0
            counts.append(value + counts[-2] if len(counts) > 2 else value)
            value, shift = 0, 0
    if shift or min(counts, default=0) < 0 or max(counts, default=0) > np.iinfo(np.int32).max:
        raise DamagedFile("a packed COCO run-length code ends within a number or has an impossible count.")
    return np.array(counts, np.int64)


def _whole_numbers(counts: Sequence[int]) -> NDArray[np.int64]:
    if not all(isinstance(count, int) and 0 <= count <= np.iinfo(np.int32).max for count in counts):
        raise DamagedFile("the counts of a COCO run-length code must be whole numbers, not negative.")
    return np.array(counts, np.int64)


def _runs(mask: NDArray[np.bool_], order: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    flat = mask.ravel("C" if order == "row" else "F").astype(np.int8)
    changes = np.diff(np.concatenate([np.zeros(1, np.int8), flat, np.zeros(1, np.int8)]))
    starts = np.flatnonzero(changes == 1)
    return starts, np.flatnonzero(changes == -1) - starts


def _instance(starts: NDArray[np.int64], lengths: NDArray[np.int64], shape: tuple[int, int], order: str) -> Instance:
    if not starts.size:
        return Instance(0, 0, np.zeros((0, 0), bool))
    before = np.cumsum(lengths) - lengths
    pixels = np.arange(int(lengths.sum())) + np.repeat(starts - before, lengths)
    along, across = np.divmod(pixels, shape[1] if order == "row" else shape[0])
    rows, columns = (along, across) if order == "row" else (across, along)
    y, x = int(rows.min()), int(columns.min())
    mask = np.zeros((int(rows.max()) - y + 1, int(columns.max()) - x + 1), bool)
    mask[rows - y, columns - x] = True
    return Instance(y, x, mask)
