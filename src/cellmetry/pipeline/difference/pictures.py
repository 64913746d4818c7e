"""Pictures of the fields that changed most between two analyses."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image as Picture

from cellmetry.errors import MissingInput
from cellmetry.pipeline.result_folders import open_results
from cellmetry.report.difference.page import FieldPictures
from cellmetry.report.difference.picture import draw_difference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cellmetry.pipeline.result_folders import ResultFolder
    from cellmetry.study.difference.changes import Difference

__all__ = ["picture_fields"]

_PANEL = 640
"""Longest side of a picture on the page in pixels."""


def picture_fields(difference: Difference) -> Iterator[FieldPictures]:
    """Yield pictures of the fields with most changed, new and lost objects: both overlays, and what differs.

    Labels are read again, those of one field at a time.
    """
    old, new = open_results(difference.before), open_results(difference.after)
    moved = difference.amounts
    most = moved[moved > 0].sort_values(ascending=False, kind="stable").index[: difference.options.pictures]
    for image, name in difference.fields.loc[most, ["image", "labels"]].itertuples(index=False):
        pictures = {}
        for title, side in (("Before", old), ("After", new)):
            output = side.images[image]["outputs"].get(f"overlay {name}")
            if output is not None and (side.run_folder / output).is_file():
                with Picture.open(side.run_folder / output) as picture:
                    pictures[title] = _address(picture.convert("RGB"))
        planes = [_middle(side, image, name) for side in (old, new)]
        pictures["Difference"] = _address(Picture.fromarray(draw_difference(*planes)))
        yield FieldPictures(image, name, pictures)


def _middle(side: ResultFolder, image: str, name: str) -> NDArray[Any]:
    """Return the labels of the middle plane and frame, of which the run has an overlay."""
    labels = side.labels(image, name)
    if labels is None:
        raise MissingInput(f"The labels {name} of {image} in {side.folder} are gone; they were there a moment ago.")
    return np.asarray(labels.array[tuple(size // 2 for size in labels.shape[:-2])])


def _address(picture: Picture.Image) -> str:
    """Return a picture, made smaller if need be, as an address that stands in the page itself."""
    picture.thumbnail((_PANEL, _PANEL), Picture.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.save(out, format="PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"
