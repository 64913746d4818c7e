"""Cellmetry: microscope images to numbers a reviewer can trust.

>>> import cellmetry as cm
>>> image = cm.open_image("field.tif")  # doctest: +SKIP
>>> labels = cm.segment(image)  # doctest: +SKIP
>>> table = cm.measure(image, labels)  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __version__: str

    from cellmetry.client.client import Client
    from cellmetry.core.image import Image, image_from_array
    from cellmetry.core.labels import Labels, labels_from_array, labels_hash
    from cellmetry.core.sample import Sample
    from cellmetry.counting.count import count
    from cellmetry.engines.segment import segment
    from cellmetry.io.images import write_image
    from cellmetry.io.labels import read_labels, write_labels
    from cellmetry.io.opening import list_scenes, open_image
    from cellmetry.io.tables import read_table, write_table
    from cellmetry.measure.table import measure
    from cellmetry.pipeline.batch import run
    from cellmetry.pipeline.exchanging import export_labels, import_labels
    from cellmetry.pipeline.recipe import Recipe, load_recipe
    from cellmetry.quantify.masks import combine_masks, mask_cells
    from cellmetry.quantify.peaks import profile_peaks
    from cellmetry.quantify.profiles import profile_cells
    from cellmetry.quantify.quantities import quantify_cells
    from cellmetry.quantify.radial import radial_mask
    from cellmetry.report.overlay import draw_overlay

_HOMES = {
    "Client": "cellmetry.client.client",
    "Image": "cellmetry.core.image",
    "Labels": "cellmetry.core.labels",
    "Recipe": "cellmetry.pipeline.recipe",
    "Sample": "cellmetry.core.sample",
    "combine_masks": "cellmetry.quantify.masks",
    "count": "cellmetry.counting.count",
    "draw_overlay": "cellmetry.report.overlay",
    "export_labels": "cellmetry.pipeline.exchanging",
    "image_from_array": "cellmetry.core.image",
    "import_labels": "cellmetry.pipeline.exchanging",
    "labels_from_array": "cellmetry.core.labels",
    "labels_hash": "cellmetry.core.labels",
    "list_scenes": "cellmetry.io.opening",
    "load_recipe": "cellmetry.pipeline.recipe",
    "mask_cells": "cellmetry.quantify.masks",
    "measure": "cellmetry.measure.table",
    "open_image": "cellmetry.io.opening",
    "profile_cells": "cellmetry.quantify.profiles",
    "profile_peaks": "cellmetry.quantify.peaks",
    "quantify_cells": "cellmetry.quantify.quantities",
    "radial_mask": "cellmetry.quantify.radial",
    "read_labels": "cellmetry.io.labels",
    "read_table": "cellmetry.io.tables",
    "run": "cellmetry.pipeline.batch",
    "segment": "cellmetry.engines.segment",
    "write_image": "cellmetry.io.images",
    "write_labels": "cellmetry.io.labels",
    "write_table": "cellmetry.io.tables",
}

__all__ = [
    "Client",
    "Image",
    "Labels",
    "Recipe",
    "Sample",
    "__version__",
    "combine_masks",
    "count",
    "draw_overlay",
    "export_labels",
    "image_from_array",
    "import_labels",
    "labels_from_array",
    "labels_hash",
    "list_scenes",
    "load_recipe",
    "mask_cells",
    "measure",
    "open_image",
    "profile_cells",
    "profile_peaks",
    "quantify_cells",
    "radial_mask",
    "read_labels",
    "read_table",
    "run",
    "segment",
    "write_image",
    "write_labels",
    "write_table",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("importlib.metadata").version("cellmetry")
    if name not in _HOMES:
        raise AttributeError(f"module 'cellmetry' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
