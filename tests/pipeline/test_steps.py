"""Every built-in step keeps to the contract."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cellmetry.core.image import image_from_array
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


class TestSubtractDark(StepContract):
    """The step subtract_dark."""

    def make(self) -> Step:
        return STEPS.load("subtract_dark")(channels=(0,), percentile=10.0)


class TestSubtractValue(StepContract):
    """The step subtract_value."""

    def make(self) -> Step:
        return STEPS.load("subtract_value")(values=(12.5,), negatives="clip")


class TestSubtractRegion(StepContract):
    """The step subtract_region."""

    def make(self) -> Step:
        return STEPS.load("subtract_region")(shapes=[{"name": "empty", "rectangle": [0, 0, 10, 10]}])


class TestSubtractLocal(StepContract):
    """The step subtract_local."""

    def make(self) -> Step:
        return STEPS.load("subtract_local")(width_um=3, gap_um=0.5)


class TestNormalise(StepContract):
    """The step normalise."""

    def make(self) -> Step:
        return STEPS.load("normalise")(method="percentile", high_percentile=99.5)


class TestDenoise(StepContract):
    """The step denoise."""

    def make(self) -> Step:
        return STEPS.load("denoise")(method="nlm", strength=1.0)


class TestBleedThrough(StepContract):
    """The step bleed_through, on discs in two channels."""

    def sample(self, centres, *, pixel_size_um=0.5):
        one = super().sample(centres, pixel_size_um=pixel_size_um)
        pixels = one.image.read()
        both = image_from_array(np.stack([pixels, pixels[::-1]]), "CYX", pixel_size_um=pixel_size_um, name="discs")
        return replace(one, image=both)

    def make(self) -> Step:
        return STEPS.load("bleed_through")(coefficients=[{"from": 0, "into": "channel1", "share": 0.1}])


class TestKeepImage(StepContract):
    """The step keep_image."""

    def make(self) -> Step:
        return STEPS.load("keep_image")(bits=8, percentiles=(1.0, 99.0))


def test_no_step_is_left_out() -> None:
    here = {cls().make().name for cls in StepContract.__subclasses__()}
    assert set(STEPS.names()) <= here
