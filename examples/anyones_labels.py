"""Measure label images made by any program: `python examples/anyones_labels.py [OUT]`."""

import sys
from pathlib import Path

import cellmetry as cm
from cellmetry.io.images import write_image
from cellmetry.ops.synthetic import field_image, field_labels, make_cells


def main() -> None:
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "labels-example")
    (out / "masks").mkdir(parents=True, exist_ok=True)
    field = make_cells((256, 256), 10, seed=4)
    write_image(field_image(field, pixel_size_um=0.325), out / "a.ome.tif")
    cm.write_labels(field_labels(field), out / "masks" / "a_labels.tif")

    table = cm.measure(cm.open_image(out / "a.ome.tif"), cm.read_labels(out / "masks" / "a_labels.tif"))
    cm.write_table(table, out / "cells.csv")
    print(table[["label", "area_um2", "mean_signal"]].round(2).to_string(index=False))


if __name__ == "__main__":
    main()
