"""The ratio of two channels in a membrane band of equal width, in made cells: python examples/membrane_ratio.py."""

import numpy as np

import cellmetry as cm
from cellmetry.ops.radial import RadialRange
from cellmetry.quantify.quantities import QuantifyOptions


def main() -> None:
    y, x = np.mgrid[:120, :200]
    labels = np.zeros((120, 200), np.uint32)
    for number, (column, radius) in enumerate([(60, 40), (145, 25)], start=1):
        labels[np.hypot(y - 60, x - column) <= radius] = number
    depth = np.minimum(abs(np.hypot(y - 60, x - 60) - 40), abs(np.hypot(y - 60, x - 145) - 25))
    receptor = np.where(labels > 0, 100 + 300 * (depth < 3), 20).astype(np.uint16)
    marker = np.where(labels > 0, 200, 20).astype(np.uint16)
    image = cm.image_from_array(
        np.stack([receptor, marker]), "CYX", channel_names=["receptor", "marker"], pixel_size_um=0.2
    )
    cells = cm.labels_from_array(labels, pixel_size=image.pixel_size)

    membrane = cm.radial_mask(cells, RadialRange(-0.5, 0.0, "um"))
    table = cm.quantify_cells(image, cells, {"membrane": membrane}, QuantifyOptions(ratios=[("receptor", "marker")]))
    for row in table.itertuples():
        print(
            f"cell {row.label}: receptor / marker {row.cell_ratio_of_means_receptor_to_marker:.2f} in the whole cell, "
            f"{row.membrane_ratio_of_means_receptor_to_marker:.2f} in its membrane ({row.membrane_area_um2:.0f} µm²)"
        )


if __name__ == "__main__":
    main()
