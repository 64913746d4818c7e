"""Every built-in step keeps to the contract."""

from __future__ import annotations

import numpy as np
import pytest

from cellmetry.core.image import image_from_array
from cellmetry.core.labels import labels_from_array
from cellmetry.core.sample import Sample
from cellmetry.core.step import Step
from cellmetry.pipeline.recipe import STEPS
from cellmetry.testing.step import StepContract


class TestSegment(StepContract):
    """The step segment."""

    label_names = ()

    def make(self) -> Step:
        return STEPS.load("segment")(engine="classical", diameter_um=10.0, cleanup={"min_area_um2": 2.0})


class TestCount(StepContract):
    """The step count."""

    def make(self) -> Step:
        return STEPS.load("count")(shapes=[{"name": "left", "rectangle": [0, 0, 120, 70]}])


class TestColocalise(StepContract):
    """The step colocalise."""

    def make(self) -> Step:
        return STEPS.load("colocalise")(first=0, second=0)


class TestKeepIds(StepContract):
    """The step keep_ids."""

    def make(self) -> Step:
        return STEPS.load("keep_ids")()

    def sample(self, centres, *, pixel_size_um=0.5):
        """Return two equal planes."""
        flat = super().sample(centres, pixel_size_um=pixel_size_um)
        pixels, ids = (np.stack([part.read()] * 2) for part in (flat.image, flat.labels["cells"]))
        image = image_from_array(pixels, "ZYX", pixel_size_um=pixel_size_um)
        return Sample(image, {"cells": labels_from_array(ids, "ZYX")})


class TestMaps(StepContract):
    """The step maps."""

    label_names = ()

    @pytest.fixture(autouse=True)
    def _model(self, tmp_path, tiny_models) -> None:
        self.path = tiny_models(tmp_path)

    def make(self) -> Step:
        return STEPS.load("maps")(model=str(getattr(self, "path", "none")), heads=("density",))


class TestMeasure(StepContract):
    """The step measure."""

    def make(self) -> Step:
        return STEPS.load("measure")()


class TestMeasureNested(StepContract):
    """The step measure_nested."""

    label_names = ("cells", "nuclei", "cytoplasm", "ring")

    def make(self) -> Step:
        return STEPS.load("measure_nested")()


class TestRelate(StepContract):
    """The step relate."""

    label_names = ("cells", "nuclei")

    def make(self) -> Step:
        return STEPS.load("relate")()


class TestCytoplasm(StepContract):
    """The step cytoplasm."""

    label_names = ("cells", "nuclei")

    def make(self) -> Step:
        return STEPS.load("cytoplasm")()


class TestRing(StepContract):
    """The step ring."""

    def make(self) -> Step:
        return STEPS.load("ring")(width_px=3)


class TestSplitParts(StepContract):
    """The step split_parts."""

    def make(self) -> Step:
        return STEPS.load("split_parts")()


class TestSpots(StepContract):
    """The step spots."""

    def make(self) -> Step:
        return STEPS.load("spots")(diameter_px=4)


def test_no_step_is_left_out() -> None:
    here = {cls().make().name for cls in StepContract.__subclasses__()}
    assert set(STEPS.names()) <= here
