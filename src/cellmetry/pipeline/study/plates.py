"""Pictures of a study's plates: layout, values of wells, edges, batches."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from cellmetry.report.document import FigureBlock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from cellmetry.pipeline.comparison.prepare import Compared
    from cellmetry.report.style import FigureStyle
    from cellmetry.study.file import Study

__all__ = ["draw_plates", "layout_of"]

_WIDE_MM = 120.0
_UNUSED = "; wells without images are hatched, excluded ones crossed out."


def layout_of(study: Study, images: pd.DataFrame, style: FigureStyle) -> FigureBlock | None:
    """Return the plate layout with its legend; None where images have no wells."""
    if not {"row", "column", "condition"} <= set(images.columns) or images["row"].isna().all():
        return None
    draw = import_module("cellmetry.report.comparison.figures.plates").draw_layout
    design = study.said.design
    figure = draw(_of_wells(images), _wide(style), order=design.order, wells=design.plate_wells)
    return FigureBlock("layout", figure, f"Plate layout: the condition of each well{_UNUSED}")


def draw_plates(
    study: Study, images: pd.DataFrame, compared: tuple[Compared, ...], style: FigureStyle
) -> list[FigureBlock]:
    """Return, of each value that images have, wells as a heat map, edge effects and batches."""
    blocks: list[FigureBlock] = []
    for each in compared:
        if each.comparison.design.kind == "amount" and "image" in each.cells.columns:
            blocks += _of_value(study, images, each, style)
    return blocks


def _of_value(study: Study, images: pd.DataFrame, each: Compared, style: FigureStyle) -> Iterator[FigureBlock]:
    name = each.asked.value
    shown = style.labels.get(name, name)
    values = each.cells.groupby("image", observed=True)["value"].mean()
    table = images.assign(**{name: images["image"].map(values).astype(float)})
    told = table[~table["excluded"]]
    plates = import_module("cellmetry.report.comparison.figures.plates")
    effects = import_module("cellmetry.report.comparison.figures.plate_effects")
    wells = study.said.design.plate_wells
    if "row" in table.columns and told["row"].notna().any() and told[name].notna().any():
        plated = _of_wells(table)
        heat = plates.draw_plate(plated, name, _wide(style), wells=wells)
        yield FigureBlock(f"plate_{name}", heat, f"Mean {shown} of the cells of each well{_UNUSED}")
        edges = effects.draw_edges(plated, name, _wide(style), wells=wells)
        words = "over the distance from the plate's edge, and medians of rows and columns: flat if the plate is even."
        yield FigureBlock(f"edges_{name}", edges, f"Mean {shown} of wells {words}")
    batch = next((word for word in ("batch", "plate", "replicate") if _several(told, word)), None)
    if batch is not None and told[name].notna().any():
        control = study.said.design.control
        figure = effects.draw_batches(told, name, style, control=control, batch=batch)
        of = "all images" if control is None else f"the images of {control}"
        yield FigureBlock(f"batches_{name}", figure, f"Mean {shown} of {of} by {batch}; bars are means.")


def _several(table: pd.DataFrame, word: str) -> bool:
    return word in table.columns and table[word].nunique() > 1


def _of_wells(images: pd.DataFrame) -> pd.DataFrame:
    return images[images["row"].notna()]


def _wide(style: FigureStyle) -> FigureStyle:
    """Return the style with the least width that a plate needs."""
    return style.model_copy(update={"width_mm": max(style.width_mm, _WIDE_MM)})


def write_layout(study: Study, images: pd.DataFrame, style: FigureStyle) -> list[Path]:
    """Return the files of the plate layout in the study's folder; none where images have no wells."""
    layout = layout_of(study, images, style)
    if layout is None:
        return []
    write = import_module("cellmetry.report.comparison.figures.files").figure_files
    written: list[Path] = write(layout.figure, study.folder, "layout", style)
    return written
