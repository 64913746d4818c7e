"""Run one recipe over a plate and compare conditions: `python examples/plate_recipe.py [OUT]`."""

import sys
from pathlib import Path

import cellmetry as cm
from cellmetry.io.images import write_image
from cellmetry.ops.synthetic import PlateOptions, field_image, make_plate

RECIPE = """
name = "plate"

[[steps]]
step = "segment"
channel = "signal"

[[steps]]
step = "measure"
features = ["size", "intensity"]
"""


def main() -> None:
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "plate-example")
    images = out / "images"
    images.mkdir(parents=True, exist_ok=True)
    conditions = {}
    for each in make_plate(PlateOptions(repeats=1, fields=1, shape=(384, 384), cells=25)):
        name = f"{each.well}_f{each.number}"
        write_image(field_image(each.field, pixel_size_um=0.5), images / f"{name}.ome.tif")
        conditions[name] = each.condition
    (out / "plate.toml").write_text(RECIPE, encoding="utf-8")

    recipe = cm.load_recipe(out / "plate.toml", ["segment.cleanup.min_area_px=50"])
    result = cm.run(recipe, [images], out / "results")

    cells = cm.read_table(result.out / "tables" / "cells.csv")
    summary = cells.groupby(cells["image"].map(conditions), sort=False)["mean_signal"].agg(["count", "mean"])
    print(summary.round(1).to_string())
    print(f"Look at {result.out / 'index.html'}")


if __name__ == "__main__":
    main()
