"""Every built-in step keeps to the contract."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tifffile

from cellmetry.core.image import image_from_array
from cellmetry.core.labels import labels_from_array
from cellmetry.core.sample import Sample
from cellmetry.core.step import Step
from cellmetry.pipeline.recipe import STEPS
from cellmetry.testing.step import Centres, StepContract


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


class TestMeasureImageJ(StepContract):
    """The step measure_imagej."""

    def make(self) -> Step:
        return STEPS.load("measure_imagej")(columns=("Mean", "RawIntDen", "Feret"))


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


class TestRollingBall(StepContract):
    """The step rolling_ball."""

    label_names = ()

    def make(self) -> Step:
        return STEPS.load("rolling_ball")(radius_px=30)


class TestSplitParts(StepContract):
    """The step split_parts."""

    def make(self) -> Step:
        return STEPS.load("split_parts")()


class TestDualCellQuant(StepContract):
    """The step dualcellquant."""

    def make(self) -> Step:
        return STEPS.load("dualcellquant")(
            target="0",
            reference="0",
            mask_target="per_cell_otsu",
            background="dark",
            radial_outer=120.0,
            profile_window=10.0,
            peaks="first_local_top",
        )


class TestPassport(StepContract):
    """The step passport."""

    def make(self) -> Step:
        return STEPS.load("passport")()


class TestFilterCells(StepContract):
    """The step filter_cells."""

    def make(self) -> Step:
        return STEPS.load("filter_cells")(keep=("area_px > 400",), keep_labels=False)

    def sample(self, centres: Centres, *, pixel_size_um: float | None = 0.5) -> Sample:
        plain = super().sample(centres, pixel_size_um=pixel_size_um)
        return STEPS.load("measure")(features=("size",))(plain)


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


class TestSpots(StepContract):
    """The step spots."""

    def make(self) -> Step:
        return STEPS.load("spots")(diameter_px=4)


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


class TestTranslocation(StepContract):
    """The step translocation."""

    label_names = ("nuclei", "ring")

    def make(self) -> Step:
        return STEPS.load("translocation")(channels=(0,), stain=0, background_percentile=5)


class TestRadial(StepContract):
    """The step radial."""

    def make(self) -> Step:
        return STEPS.load("radial")(inner=-1.0, outer=0.5, unit="um")


class TestMask(StepContract):
    """The step mask."""

    def make(self) -> Step:
        return STEPS.load("mask")(channel=0, method="otsu", min_object_px=3)


class TestCombineMasks(StepContract):
    """The step combine_masks."""

    label_names = ("cells", "ring")

    def make(self) -> Step:
        return STEPS.load("combine_masks")(first="cells", second="ring", operation="or")


class TestQuantify(StepContract):
    """The step quantify."""

    label_names = ("cells", "ring")

    def make(self) -> Step:
        return STEPS.load("quantify")(masks=["ring"])


class TestProfile(StepContract):
    """The step profile."""

    def make(self) -> Step:
        return STEPS.load("profile")(window=10, stride=5)


class TestPeaks(StepContract):
    """The step peaks, after a profile."""

    def make(self) -> Step:
        return STEPS.load("peaks")(first="channel0")

    def sample(self, centres, *, pixel_size_um=0.5):
        """Return a sample that was profiled."""
        return STEPS.load("profile")(window=10, stride=5)(super().sample(centres, pixel_size_um=pixel_size_um))


def test_no_step_is_left_out() -> None:
    here = {cls().make().name for cls in StepContract.__subclasses__()}
    assert set(STEPS.names()) <= here
