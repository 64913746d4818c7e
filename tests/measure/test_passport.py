"""The passport: each flag is raised by an image made to raise it, and by nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from scipy.stats import median_abs_deviation

import cellmetry as cm
from cellmetry.core.sample import Sample
from cellmetry.errors import ParameterError, UnknownName
from cellmetry.measure.filter import FilterCells
from cellmetry.measure.passport.flags import FLAGS, robust_z
from cellmetry.measure.passport.options import PassportOptions
from cellmetry.measure.passport.step import Passport
from cellmetry.measure.passport.table import passport, passport_notes
from cellmetry.measure.step import Measure

SIZE = (260, 330)
ODD = 8
"""The cell that is made odd; it stands in the middle of the image."""


class Scene:
    """Twenty bright discs of slightly different size on a dark ground, blurred by 1.5 px, with noise."""

    def __init__(self) -> None:
        self.labels = np.zeros(SIZE, np.uint32)
        self.signal = dict.fromkeys(range(1, 21), 1000.0)
        self.blur = dict.fromkeys(range(1, 21), 1.5)
        self.ground = np.full(SIZE, 100.0)
        self.noise = 8.0
        self.rows, self.columns = np.mgrid[: SIZE[0], : SIZE[1]]
        radii = np.random.default_rng(1).uniform(11, 13, 20)
        for index in range(20):
            self.draw(index + 1, self.centre(index + 1), float(radii[index]))

    @staticmethod
    def centre(label: int) -> tuple[float, float]:
        return 40.0 + 60 * ((label - 1) // 5), 40.0 + 62 * ((label - 1) % 5)

    def draw(self, label: int, centre: tuple[float, float], radius: float) -> None:
        self.labels[self.labels == label] = 0
        self.labels[np.hypot(self.rows - centre[0], self.columns - centre[1]) <= radius] = label

    def pixels(self) -> np.ndarray:
        light = self.ground.copy()
        for label, signal in self.signal.items():
            light += gaussian_filter(signal * (self.labels == label), self.blur[label])
        noisy = light + np.random.default_rng(0).normal(0, self.noise, SIZE)
        return noisy.round().clip(0, 4095).astype(np.uint16)

    def sample(self, **maps: np.ndarray) -> Sample:
        made = {name: cm.image_from_array(values.astype(np.float32)) for name, values in maps.items()}
        return Sample(cm.image_from_array(self.pixels()), {"cells": cm.labels_from_array(self.labels)}, maps=made)

    def foreground(self) -> np.ndarray:
        return np.where(self.labels > 0, 0.95, 0.02)


def saturated(scene: Scene) -> None:
    scene.signal[ODD] = 6000


def out_of_focus(scene: Scene) -> None:
    scene.blur[ODD] = 4.5


def cut(scene: Scene) -> None:
    scene.draw(ODD, (7.0, 164.0), 12.0)


def on_a_bright_ground(scene: Scene) -> None:
    y, x = scene.centre(ODD)
    scene.ground += 900 * np.exp(-0.5 * (np.hypot(scene.rows - y, scene.columns - x) / 30) ** 4)


def tiny(scene: Scene) -> None:
    scene.draw(ODD, scene.centre(ODD), 4.0)


def ragged(scene: Scene) -> None:
    y, x = scene.centre(ODD)
    inside = (scene.labels == ODD) & (scene.rows > y - 7) & (abs(scene.columns - x) < 5)
    scene.labels[inside] = 0
    scene.draw(21, (0, 0), -1)


def faint(scene: Scene) -> None:
    scene.signal[ODD] = 1.0


CASES = {
    "saturation": saturated,
    "focus": out_of_focus,
    "edge": cut,
    "background": on_a_bright_ground,
    "debris": tiny,
    "contrast": faint,
}


def raised(table: pd.DataFrame) -> dict[int, set[str]]:
    """Return the flags of each label that has any."""
    out = {}
    for _, row in table.iterrows():
        names = {name for name in FLAGS if row.get(f"flag_{name}") is True}
        if names:
            out[int(row["label"])] = names
    return out


def judge(sample: Sample, **options: object) -> pd.DataFrame:
    return passport(sample, sample.labels["cells"], PassportOptions(**options))


def test_an_ordinary_image_raises_no_flag_and_every_flag_is_judged() -> None:
    scene = Scene()
    table = judge(scene.sample(foreground=scene.foreground()))
    flags = table[[f"flag_{name}" for name in FLAGS]]
    assert not flags.isna().any(axis=None)
    assert not flags.any(axis=None)
    assert not table["flag_any"].any()


@pytest.mark.parametrize("name", CASES)
def test_each_flag_is_raised_by_its_own_fault_and_by_no_other(name: str) -> None:
    scene = Scene()
    CASES[name](scene)
    table = judge(scene.sample(foreground=scene.foreground()))
    assert raised(table) == {ODD: {name}}
    assert table["flag_any"].tolist() == [label == ODD for label in table["label"]]


def test_a_ragged_cell_looks_like_debris() -> None:
    scene = Scene()
    ragged(scene)
    assert raised(judge(scene.sample())) == {ODD: {"debris"}}


@pytest.mark.parametrize(("inside", "outside"), [(0.5, 0.02), (0.95, 0.8)])
def test_the_network_says_when_it_was_unsure(inside: float, outside: float) -> None:
    scene = Scene()
    y, x = scene.centre(ODD)
    seen = scene.foreground()
    near = np.hypot(scene.rows - y, scene.columns - x) < 25
    seen[near] = np.where(scene.labels[near] == ODD, inside, outside)
    table = judge(scene.sample(foreground=seen)).set_index("label")
    assert raised(table.reset_index()) == {ODD: {"confidence"}}
    assert table.loc[ODD, "confidence"] == pytest.approx(inside, abs=1e-6)
    assert table.loc[ODD, "outline_step"] == pytest.approx(inside - outside, abs=1e-6)


def test_without_a_map_there_is_no_confidence() -> None:
    assert not [name for name in judge(Scene().sample()) if "confid" in name or "outline" in name]


def test_saturation_is_counted_on_the_original_at_the_detectors_maximum() -> None:
    scene = Scene()
    saturated(scene)
    sample = scene.sample()
    part = (scene.pixels()[scene.labels == ODD] >= 4095).mean()
    corrected = sample.with_image(cm.image_from_array(sample.image.read().astype(np.float32) - 100))
    for each in (sample, corrected):
        for options in ({}, {"pixels": "corrected"}, {"saturation": "native:4095"}, {"saturation": "255"}):
            table = judge(each, **options).set_index("label")
            assert table.loc[ODD, "saturated_fraction_channel0"] == part > 0.5
    stated = replace(sample.image, bit_depth=14)
    assert not judge(replace(sample, image=stated))["flag_saturation"].any()
    lower = judge(replace(sample, image=stated), saturation="native:4000")
    assert raised(lower) == {ODD: {"saturation"}}


def test_corrected_pixels_are_judged_on_wish() -> None:
    scene = Scene()
    on_a_bright_ground(scene)
    sample = scene.sample()
    flat = sample.with_image(cm.image_from_array(sample.image.read() - (scene.ground - 100).astype(np.float32)))
    assert raised(judge(flat)) == {ODD: {"background"}}
    assert raised(judge(flat, pixels="corrected")) == {}


def test_with_few_cells_nothing_is_compared_with_the_usual() -> None:
    scene = Scene()
    out_of_focus(scene)
    scene.signal[3] = 6000
    scene.labels[scene.labels > 9] = 0
    sample = scene.sample()
    table = judge(sample)
    relative = ["flag_focus", "flag_background", "flag_debris"]
    assert table[relative].isna().all(axis=None)
    assert raised(table) == {3: {"saturation"}}
    done = Passport()(sample)
    assert any("Only 9 cells" in sentence for sentence in done.warnings)
    absolute = judge(sample, most_blur_px=3)
    assert absolute["flag_focus"].tolist() == [label == ODD for label in absolute["label"]]


@pytest.mark.parametrize("blur", [1.5, 2.5, 4.0])
def test_blur_is_that_of_the_edge_whatever_brightness_and_offset(blur: float) -> None:
    edge = np.zeros((160, 160))
    edge[:, 80:] = 1
    light = gaussian_filter(edge, blur)
    labels = np.zeros(edge.shape, np.uint32)
    labels[40:120, 65:95] = 1
    found = []
    for gain, offset, noise in ((1000, 50, 0), (200, 3000, 0), (1000, 50, 30)):
        pixels = gain * light + offset + np.random.default_rng(0).normal(0, noise, edge.shape)
        sample = Sample(cm.image_from_array(pixels), {"cells": cm.labels_from_array(labels)})
        found.append(float(judge(sample, least_contrast=0, focus_margin_px=1)["blur_px_channel0"].iloc[0]))
    assert found[0] == pytest.approx(blur, rel=0.06)
    assert found[1] == pytest.approx(found[0], rel=1e-3)
    assert found[2] == pytest.approx(blur, rel=0.1)


def test_blur_of_what_is_not_seen_is_missing() -> None:
    scene = Scene()
    faint(scene)
    table = judge(scene.sample()).set_index("label")
    assert np.isnan(table.loc[ODD, "blur_px_channel0"])
    assert pd.isna(table.loc[ODD, "flag_focus"])
    assert table.loc[ODD, "contrast_to_noise_channel0"] < 0.5


def test_a_channel_without_the_cell_neither_flags_nor_hides_it() -> None:
    scene, other = Scene(), Scene()
    out_of_focus(scene)
    other.signal = dict.fromkeys(other.signal, 0.0)
    pixels = np.stack([scene.pixels(), other.pixels()])
    image = cm.image_from_array(pixels, "CYX", channel_names=["DNA", "empty"])
    sample = Sample(image, {"cells": cm.labels_from_array(scene.labels)})
    assert raised(judge(sample)) == {ODD: {"focus"}}
    assert judge(sample, channels=("empty",))["flag_contrast"].all()
    with pytest.raises(UnknownName, match="DNA"):
        judge(sample, channels=("DNS",))


def test_values_do_not_depend_on_bands_ids_or_rotation() -> None:
    scene = Scene()
    on_a_bright_ground(scene)
    cut(scene)
    sample = scene.sample(foreground=scene.foreground())
    whole = judge(sample)
    for rows in (7, 64):
        banded = passport(sample, sample.labels["cells"], rows=rows)
        pd.testing.assert_frame_equal(banded, whole, check_exact=True)
    turned = Sample(
        cm.image_from_array(np.rot90(scene.pixels()).copy()),
        {"cells": cm.labels_from_array((np.rot90(scene.labels) * 7).astype(np.uint32))},
        maps={"foreground": cm.image_from_array(np.rot90(scene.foreground()).astype(np.float32).copy())},
    )
    other = judge(turned)
    assert (other["label"] == 7 * whole["label"]).all()
    pd.testing.assert_frame_equal(other.drop(columns="label"), whole.drop(columns="label"), rtol=1e-6)


@settings(max_examples=60)
@given(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=40), st.floats(1e-3, 1e3))
def test_robust_z_is_scipys_and_no_larger_with_a_least_spread(values: list[float], least: float) -> None:
    array = np.array(values)
    z = robust_z(array, least_spread=least, least_count=3)
    spread = max(median_abs_deviation(array, scale="normal"), least)
    np.testing.assert_allclose(z, (array - np.median(array)) / spread, rtol=1e-6, atol=1e-9)
    assert np.isnan(robust_z(array, least_spread=least, least_count=len(values) + 1)).all()


def test_a_ring_too_small_leaves_background_and_contrast_open() -> None:
    labels = np.ones((30, 30), np.uint32)
    sample = Sample(cm.image_from_array(np.full((30, 30), 9, np.uint8)), {"cells": cm.labels_from_array(labels)})
    table = judge(sample)
    assert table[["local_background_channel0", "contrast_to_noise_channel0"]].isna().all(axis=None)
    assert pd.isna(table["flag_contrast"].iloc[0])
    assert table["border_px"].iloc[0] == 4 * 29


def test_every_column_is_described_in_the_own_table_and_in_that_of_the_cells() -> None:
    scene = Scene()
    sample = scene.sample(foreground=scene.foreground())
    alone = Passport()(sample).tables["passport"]
    assert [column.name for column in alone.attrs["columns"]] == list(alone.columns)
    measured = Measure(features=("size", "intensity"))(sample)
    joined = Passport()(measured).tables["cells"]
    assert [column.name for column in joined.attrs["columns"]] == list(joined.columns)
    pd.testing.assert_frame_equal(joined[list(measured.tables["cells"])], measured.tables["cells"])
    assert "passport" not in Passport()(measured).tables
    with pytest.raises(ParameterError, match="already"):
        Passport()(Passport()(measured))


def test_frames_and_planes_find_their_rows() -> None:
    scene = Scene()
    other = Scene()
    out_of_focus(other)
    image = cm.image_from_array(np.stack([scene.pixels(), other.pixels()]), "TYX")
    labels = cm.labels_from_array(np.stack([scene.labels, other.labels]), "TYX")
    sample = Measure(features=("size",))(Sample(image, {"cells": labels}))
    turned = sample.tables["cells"].sort_values("label", ignore_index=True)
    table = Passport()(sample.with_table("cells", turned)).tables["cells"]
    assert table.loc[table["flag_focus"], ["label", "t"]].to_numpy().tolist() == [[ODD, 1]]
    with pytest.raises(ParameterError, match="rows are told by"):
        Passport()(sample.with_table("cells", turned.drop(columns="t")))


def test_volumes_and_projections() -> None:
    scene = Scene()
    saturated(scene)
    pixels = np.stack([scene.pixels(), Scene().pixels(), Scene().pixels()])
    image = cm.image_from_array(pixels, "ZYX")
    volume = replace(cm.labels_from_array(np.stack([scene.labels] * 3), "ZYX"), linked_z=True)
    whole = judge(Sample(image, {"cells": volume}))
    flat = judge(Sample(image, {"cells": cm.labels_from_array(scene.labels)}), project="mean").set_index("label")
    plane = passport(Sample(cm.image_from_array(scene.pixels())), cm.labels_from_array(scene.labels)).set_index("label")
    assert whole["flag_saturation"].tolist() == [label == ODD for label in whole["label"]]
    assert "solidity_z" not in whole
    column = "saturated_fraction_channel0"
    assert flat.loc[ODD, column] == plane.loc[ODD, column]
    assert whole.set_index("label").loc[ODD, column] == pytest.approx(plane.loc[ODD, column] / 3)


def test_many_flagged_cells_are_a_warning_and_can_be_filtered() -> None:
    scene = Scene()
    for label in (3, 4, 5):
        scene.signal[label] = 6000
    done = Passport()(Measure(features=("size",))(scene.sample()))
    assert done.warnings == ("3 of 20 cells are flagged by flag_saturation.",)
    filtered = FilterCells(keep=("not flag_any",))(done)
    assert filtered.tables["filtered"]["label"].tolist() == [3, 4, 5]


def test_pixels_that_are_not_numbers_spoil_only_themselves() -> None:
    scene = Scene()
    pixels = scene.pixels().astype(np.float32)
    pixels[int(scene.centre(3)[0]), int(scene.centre(3)[1])] = np.nan
    table = judge(Sample(cm.image_from_array(pixels), {"cells": cm.labels_from_array(scene.labels)}))
    assert np.isfinite(table[["blur_px_channel0", "contrast_to_noise_channel0"]]).all(axis=None)


def test_real_cells_blurred_further_are_flagged(shared) -> None:
    path = shared / "data" / "bbbc039"
    image = cm.open_image(path / "images" / "A21_s1_w1D.tif")
    labels = cm.read_labels(path / "labels" / "A21_s1_w1D.png")
    before = passport(Sample(image), labels)
    assert not before["flag_focus"].any()
    chosen = before.loc[(before["border_px"] == 0) & (before["size_z"].abs() < 2), "label"].to_numpy()[::8]
    pixels = image.read().astype(np.float64)
    near = gaussian_filter(np.isin(labels.read(), chosen).astype(float), 4) > 0.02
    noise = np.random.default_rng(0).normal(0, 3, pixels.shape)
    blurred = np.where(near, gaussian_filter(pixels, 4) + noise, pixels).round().astype(np.uint16)
    after = passport(Sample(cm.image_from_array(blurred)), labels).set_index("label")
    assert after.loc[chosen, "flag_focus"].mean() > 0.8
    assert after.drop(index=chosen)["flag_focus"].mean() < 0.05


def test_notes_count_in_good_english() -> None:
    one = passport_notes(pd.DataFrame({"flag_focus": [True]}), PassportOptions())
    assert one[0].startswith("Only 1 cell: what is usual")
    assert one[1] == "1 of 1 cell is flagged by flag_focus."
    two = passport_notes(pd.DataFrame({"flag_focus": [True, True, False]}), PassportOptions())
    assert two[0].startswith("Only 3 cells: ")
    assert two[1] == "2 of 3 cells are flagged by flag_focus."
