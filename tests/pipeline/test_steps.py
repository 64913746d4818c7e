"""Every built-in step keeps to the contract."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from cellmetry.core.step import Step
from cellmetry.pipeline.recipe import STEPS
from cellmetry.testing.step import StepContract


class TestSegment(StepContract):
    """The step segment."""

    label_names = ()

    def make(self) -> Step:
        return STEPS.load("segment")(engine="classical", diameter_um=10.0, cleanup={"min_area_um2": 2.0})


class TestAlignChannels(StepContract):
    """The step align_channels."""

    def make(self) -> Step:
        return STEPS.load("align_channels")(reference="0")


class TestFlatField(StepContract):
    """The step flat_field."""

    @pytest.fixture(autouse=True)
    def _flat(self, tmp_path) -> None:
        self.path = tmp_path / "flat.tif"
        tifffile.imwrite(self.path, np.linspace(0.5, 1.5, 120 * 140, dtype=np.float32).reshape(120, 140))

    def make(self) -> Step:
        return STEPS.load("flat_field")(flat=getattr(self, "path", "none"))


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


def test_no_step_is_left_out() -> None:
    here = {cls().make().name for cls in StepContract.__subclasses__()}
    assert set(STEPS.names()) <= here
