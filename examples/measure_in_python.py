"""Find cells in an image and measure them, in Python: `python examples/measure_in_python.py [IMAGE]`."""

import sys

import cellmetry as cm
from cellmetry.ops.synthetic import field_image, make_cells


def main() -> None:
    if len(sys.argv) > 1:
        image = cm.open_image(sys.argv[1])
    else:
        image = field_image(make_cells((512, 512), 60, seed=1), pixel_size_um=0.5)
    print(f"{image.name}: axes {image.axes}, shape {image.shape}, channels {', '.join(image.channel_names)}")

    labels = cm.segment(image, channel=image.channel_names[-1])
    table = cm.measure(image, labels)

    columns = ["label", "area_px", "circularity", f"mean_{image.channel_names[-1]}"]
    print(f"{len(table)} cells")
    print(table[columns].head().to_string(index=False))


if __name__ == "__main__":
    main()
