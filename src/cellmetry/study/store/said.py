"""What users say of images: words with a meaning of their own, refused where they mean nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from cellmetry.errors import ParameterError
from cellmetry.study.store.images import said_of
from cellmetry.study.store.right import CORRECTED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cellmetry.study.store.images import StoredImage
    from cellmetry.study.store.store import Store

__all__ = ["EXCLUDED", "excluded_images", "is_excluded", "pixel_sides_um", "refuse_wrong_words"]

EXCLUDED = "excluded"
"""What is said, as true or false, of an image that is to be in no result unless it is named."""


def is_excluded(store: Store, image_id: str) -> bool:
    """Return whether an image is to be in no result unless it is named."""
    return said_of(store, image_id).get(EXCLUDED) is True


def excluded_images(store: Store) -> set[str]:
    """Return the ids of all images that are to be in no result unless they are named."""
    rows = store.database.rows(
        "SELECT subject, value FROM said WHERE key = ? AND act IN (SELECT seq FROM holding) ORDER BY act", (EXCLUDED,)
    )
    newest = {row["subject"]: json.loads(row["value"]) for row in rows}
    return {image_id for image_id, value in newest.items() if value is True}


def pixel_sides_um(store: Store, image: StoredImage) -> tuple[float, float] | None:
    """Return height and width of an image's pixels in µm as users said them, else as its file does; None if unknown."""
    said, stated = said_of(store, image.id), image.header.get("pixel_size_um") or {}
    side = said.get("pixel_size_um")
    y, x = said.get("pixel_size_y_um") or side or stated.get("y"), side or stated.get("x")
    return None if y is None or x is None else (float(y), float(x))


def refuse_wrong_words(image: StoredImage, values: Mapping[str, Any]) -> None:
    """Refuse what cannot be said of an image.

    Raises
    ------
    ParameterError
        If `EXCLUDED` is neither true nor false, cells are called right, which is said of labels, or there are more or
        fewer names than channels.
    """
    if not isinstance(values.get(EXCLUDED), bool | None):
        raise ParameterError(f"{EXCLUDED} is true or false, not {values[EXCLUDED]!r}; null takes the word back.")
    if CORRECTED in values:
        raise ParameterError(f"{CORRECTED} is said of labels, by PUT labels/LABELS/right: an image may have several.")
    names, channels = values.get("channel_names"), image.header.get("channels")
    if names is not None and channels is not None and len(names) != len(channels):
        there = ", ".join(str(each["name"]) for each in channels)
        raise ParameterError(
            f"{image.name} has {len(channels)} channels ({there}), but {len(names)} names were given; name each."
        )
