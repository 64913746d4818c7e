"""An engine of one's own: a class with `needs` and `predict`. `python examples/own_engine.py`.

In a package of its own, an entry point makes it known to every command as `--engine bright-spots`:

    [project.entry-points."cellmetry.engines"]
    bright-spots = "my_package:BrightSpots"
"""

from typing import cast

import numpy as np
from pydantic import Field
from scipy import ndimage

from cellmetry.core.image import image_from_array
from cellmetry.core.step import Parameters
from cellmetry.engines.base import EngineNeeds, EngineSpec, TileEngine
from cellmetry.engines.plane import Plane
from cellmetry.engines.tiling import label_plane
from cellmetry.ops.cleanup import Cleanup
from cellmetry.ops.matching import match_labels
from cellmetry.ops.synthetic import FieldOptions, make_cells


class SpotOptions(Parameters):
    """Options of the engine."""

    level: float = Field(0.5, description="Threshold between the plane's percentiles 1 (0) and 99.8 (1).")


class BrightSpots(TileEngine):
    """Everything above a level is an object; nothing is parted."""

    name = "bright-spots"
    summary = "connected pixels above a level"
    options_type = SpotOptions

    @property
    def needs(self) -> EngineNeeds:
        """Normalised tiles with some context."""
        return EngineNeeds(margin_px=64, normalise=(1, 99.8))

    def predict(self, tile, box, prepared):
        """Return the connected parts of the tile above the level."""
        level = cast("SpotOptions", self.options).level
        return ndimage.label(tile[0] > level)[0].astype(np.int32)


def main() -> None:
    field = make_cells((512, 512), 40, FieldOptions(touching=0, brightness_spread=0), seed=3)
    plane = Plane(image_from_array(field.image[1]), (0,))
    labels = np.zeros((512, 512), np.uint32)
    engine = BrightSpots(SpotOptions(level=0.4), EngineSpec())
    result = label_plane(engine, plane, Cleanup(min_area_px=30), labels, tile=128)
    print(f"{result.objects} objects, F1 against the truth: {match_labels(field.labels, labels).f1:.3f}")


if __name__ == "__main__":
    main()
