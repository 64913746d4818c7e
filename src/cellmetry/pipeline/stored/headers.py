"""What a study keeps of an image's header, for lists and viewers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from cellmetry.pipeline.acquisition import settings_of
from cellmetry.pipeline.stored.colours import shown_colours

if TYPE_CHECKING:
    from pathlib import Path

    from cellmetry.core.image import Image

__all__ = ["image_header"]


def image_header(image: Image, pyramid: Path) -> dict[str, Any]:
    """Return axes, shape, dtype, pixel size in µm, channels and settings of an image as JSON values.

    Each channel has its name, the colour in which it is shown, the bits of its detector (None where nobody says) and
    its display range: the values that can be (``min``, ``max``) and those between which it is shown at first
    (``start``, ``end``).

    Parameters
    ----------
    pyramid
        Folder of its tiles, where the display ranges are noted.
    """
    described = json.loads((pyramid / "zarr.json").read_text(encoding="utf-8"))["attributes"]["ome"]
    shown = described["omero"]["channels"]
    return {
        "axes": image.axes,
        "shape": list(image.shape),
        "dtype": image.dtype.name,
        "levels": len(described["multiscales"][0]["datasets"]),
        "pixel_size_um": image.pixel_size._asdict(),
        "bit_depth": image.bit_depth,
        "colour": image.colour,
        "acquired": None if image.acquired is None else image.acquired.isoformat(),
        "settings": settings_of(image.metadata),
        "channels": [
            {
                "name": channel.name,
                "colour": colour,
                "detector_bits": image.stated_bits(index),
                "display": entry["window"],
            }
            for index, (channel, entry, colour) in enumerate(
                zip(image.channels, shown, shown_colours(image), strict=True)
            )
        ],
    }
