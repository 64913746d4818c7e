"""A row for each image of a table, in which numbers of cells are compared; an image without cells has one too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from cellmetry.core.columns import Column
from cellmetry.pipeline.comparison.settings import AREA
from cellmetry.pipeline.jobs.gathering import add_said, said_columns
from cellmetry.pipeline.jobs.how_read import READ, how_read
from cellmetry.pipeline.jobs.measured import names_in_table
from cellmetry.study.store.images import images
from cellmetry.study.store.said import excluded_images

if TYPE_CHECKING:
    from cellmetry.study.store.images import StoredImage
    from cellmetry.study.store.results import StoredResult
    from cellmetry.study.store.store import Store

__all__ = ["FIELD_COLUMNS", "image_rows"]

FIELD_COLUMNS = (
    Column(AREA, "mm2", "Area that the image shows, of all its frames.", "Cellmetry"),
    Column("n_cells_kept", "1", "Cells of the image that are left after all filters.", "Cellmetry"),
    Column("n_cells_kept_per_mm2", "1/mm2", "These cells over the area that the image shows.", "Cellmetry"),
)
"""What the columns mean that such a table gets besides the design."""


def image_rows(store: Store, table: StoredResult) -> pd.DataFrame:
    """Return a row for each image of a table that is not left out, with what the study says of it.

    The area in mm² is there where the pixel size of all of them is known: that by which the table was measured, so that
    one comparison has one size; the present one where the table knew none.
    """
    excluded = excluded_images(store)
    here = {each.id: each for each in images(store) if each.id not in excluded}
    names = {image_id: name for image_id, name in names_in_table(table).items() if image_id in here}
    rows = pd.DataFrame({"image": pd.array(list(names.values()), "str")})
    areas = [_area_mm2(store, here[image_id], table) for image_id in names]
    known = [area for area in areas if area is not None]
    if known and len(known) == len(areas):
        rows[AREA] = known
    joined, _, _ = add_said(rows, said_columns(store, names))
    return joined


def _area_mm2(store: Store, image: StoredImage, table: StoredResult) -> float | None:
    """Return the area of all frames of an image, None where its pixel size is not known."""
    sizes = dict(zip(image.header["axes"], image.header["shape"], strict=True))
    then = (table.details["images"][image.id].get(READ) or {}).get("pixel_size_um") or {}
    size = then if then.get("y") and then.get("x") else how_read(store, image)["pixel_size_um"]
    if size["y"] is None or size["x"] is None:
        return None
    return float(sizes["Y"] * size["y"] * sizes["X"] * size["x"] * sizes.get("T", 1)) / 1e6
