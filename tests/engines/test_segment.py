"""`segment`: channels, units, stacks, existing labels, huge images on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import cellmetry as cm
from cellmetry.core.labels import count_objects
from cellmetry.engines.segment import Segment, segment_with
from cellmetry.errors import LabelsError, MissingInput, ParameterError, PixelSizeNeeded, UnknownName
from cellmetry.ops.synthetic import make_cells
from cellmetry.testing.engine import disc_image

LIGHT, TRUTH = disc_image(((60, 50), (60, 120), (150, 100)), 12, (200, 200))
PIXELS = (100 + 400 * LIGHT).astype(np.uint16)


def test_a_diameter_in_um_needs_a_pixel_size() -> None:
    with pytest.raises(PixelSizeNeeded, match="--pixel-size"):
        cm.segment(cm.image_from_array(PIXELS), engine="classical", diameter_um=12)


def test_um_and_px_mean_the_same() -> None:
    in_um = cm.image_from_array(PIXELS, pixel_size_um=0.5)
    a = cm.segment(in_um, engine="classical", diameter_um=12, cleanup={"min_area_um2": 20})
    b = cm.segment(in_um, engine="classical", diameter_px=24, cleanup={"min_area_px": 80})
    assert cm.labels_hash(a) == cm.labels_hash(b)
    assert a.pixel_size.x == 0.5


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"diameter_um": 3, "diameter_px": 3}, "not both"),
        ({"diameter_px": -1}, "greater than 0"),
        ({"cleanup": {"min_area_px": 3, "min_area_um2": 3}}, "not both"),
        ({"stack": "volume"}, "needs a Z axis"),
        ({"options": {"look": "shiny"}}, "bright"),
    ],
)
def test_wrong_parameters_are_refused(parameters: dict, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        cm.segment(cm.image_from_array(PIXELS, pixel_size_um=1), engine="classical", **parameters)


@pytest.mark.parametrize(
    ("parameters", "nearest"),
    [({"engin": "x"}, "engine"), ({"engine": "clasical"}, "classical"), ({"options": {"tresh": 1}}, "Known")],
)
def test_unknown_names_say_the_nearest(parameters: dict, nearest: str) -> None:
    with pytest.raises(UnknownName, match=nearest):
        cm.segment(cm.image_from_array(PIXELS), **{"engine": "classical"} | parameters)


def stack() -> cm.Image:
    """Return two time points of three planes; in the middle plane one object is missing."""
    planes = np.stack([PIXELS, np.where(TRUTH == 3, 100, PIXELS), PIXELS])
    return cm.image_from_array(np.stack([planes, planes[::-1]]).astype(np.uint16), "TZYX")


def test_planes_are_labelled_each_for_itself() -> None:
    labels = cm.segment(stack(), engine="classical")
    assert (labels.axes, labels.linked_z) == ("TZYX", False)
    assert [labels.read()[0, z].max() for z in range(3)] == [3, 2, 3]
    assert count_objects(labels) == 16


def test_a_volume_links_objects_through_its_planes() -> None:
    labels = cm.segment(stack(), engine="classical", stack="volume")
    assert labels.linked_z is True
    column = labels.read()[0, :, 60, 50]
    assert column[0] == column[1] == column[2] > 0
    assert labels.read()[0, 0, 150, 100] != labels.read()[0, 2, 150, 100]
    assert count_objects(labels) == 8


@pytest.mark.parametrize("how", ["max", "mean"])
def test_projections(how: str) -> None:
    labels = cm.segment(stack(), engine="classical", stack=how)
    assert labels.axes == "TYX"
    assert labels.read()[0].max() == 3
    flat = cm.image_from_array(PIXELS)
    assert cm.segment(flat, engine="classical", stack=how).axes == "YX"


def test_labels_of_huge_images_lie_on_disk_and_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    field = make_cells((400, 500), 40, seed=5)
    image = cm.image_from_array(field.image[1])
    in_memory = cm.segment(image, engine="classical", tile_px=128)
    monkeypatch.setenv("CELLMETRY_MAX_LABELS_IN_MEMORY", "1000")
    on_disk = cm.segment(image, engine="classical", tile_px=128)
    assert isinstance(in_memory.array, np.ndarray)
    assert not isinstance(on_disk.array, np.ndarray)
    assert cm.labels_hash(on_disk) == cm.labels_hash(in_memory)


class TestExistingLabels:
    """The engine labels."""

    def image(self, folder: Path) -> cm.Image:
        np.save(folder / "a.npy", PIXELS)
        return cm.open_image(folder / "a.npy")

    def test_ids_are_kept(self, tmp_path: Path) -> None:
        image = self.image(tmp_path)
        cm.write_labels(cm.labels_from_array(TRUTH * 1000), tmp_path / "a_labels.tif")
        labels = cm.segment(image, engine="labels")
        assert labels.ids().tolist() == [1000, 2000, 3000]

    def test_folder_and_pattern(self, tmp_path: Path) -> None:
        image = self.image(tmp_path)
        (tmp_path / "masks").mkdir()
        cm.write_labels(cm.labels_from_array(TRUTH), tmp_path / "masks" / "m-a-07.tif")
        options = {"folder": str(tmp_path / "masks"), "pattern": "m-{stem}-*.tif"}
        assert cm.segment(image, engine="labels", options=options).ids().tolist() == [1, 2, 3]

    def test_one_file_for_every_image(self, tmp_path: Path) -> None:
        image = self.image(tmp_path)
        options = {"file": str(tmp_path / "wells.tif")}
        with pytest.raises(MissingInput, match=r"wells.tif does not exist"):
            cm.segment(image, engine="labels", options=options)
        cm.write_labels(cm.labels_from_array(TRUTH), tmp_path / "wells.tif")
        assert cm.segment(image, engine="labels", options=options).ids().tolist() == [1, 2, 3]

    def test_one_plane_stands_for_every_frame(self, tmp_path: Path) -> None:
        movie = cm.image_from_array(np.stack([PIXELS] * 3), "TYX")
        cm.write_labels(cm.labels_from_array(TRUTH), tmp_path / "wells.tif")
        labels = cm.segment(movie, engine="labels", options={"file": str(tmp_path / "wells.tif")})
        assert (labels.axes, labels.ids().tolist()) == ("YX", [1, 2, 3])

    def test_none_or_several_files(self, tmp_path: Path) -> None:
        image = self.image(tmp_path)
        with pytest.raises(MissingInput, match="no file a_labels.tif"):
            cm.segment(image, engine="labels")
        for name in ("a_1.tif", "a_2.tif"):
            cm.write_labels(cm.labels_from_array(TRUTH), tmp_path / name)
        with pytest.raises(MissingInput, match="2 files"):
            cm.segment(image, engine="labels", options={"pattern": "{stem}_*.tif"})

    def test_case_51_another_size_is_refused(self, tmp_path: Path) -> None:
        image = self.image(tmp_path)
        cm.write_labels(cm.labels_from_array(TRUTH[:50]), tmp_path / "a_labels.tif")
        with pytest.raises(LabelsError, match="50.*200"):
            cm.segment(image, engine="labels")

    @pytest.mark.parametrize("given", [{"channel": "0"}, {"diameter_px": 5}, {"cleanup": {"min_area_px": 9}}])
    def test_choices_that_it_cannot_honour_are_refused(self, tmp_path: Path, given: dict) -> None:
        image = self.image(tmp_path)
        cm.write_labels(cm.labels_from_array(TRUTH), tmp_path / "a_labels.tif")
        with pytest.raises(ParameterError, match=f"no use for {next(iter(given))}"):
            cm.segment(image, engine="labels", **given)

    def test_case_56_an_id_in_two_parts_is_told(self, tmp_path: Path) -> None:
        image = self.image(tmp_path)
        parts = np.where(TRUTH == 3, 1, TRUTH)
        cm.write_labels(cm.labels_from_array(parts), tmp_path / "a_labels.tif")
        result = segment_with(Segment(engine="labels"), image)
        assert result.labels.ids().tolist() == [1, 2]
        assert len(result.warnings) == 1

    def test_a_pattern_needs_the_stem(self, tmp_path: Path) -> None:
        with pytest.raises(ParameterError, match="stem"):
            cm.segment(self.image(tmp_path), engine="labels", options={"pattern": "labels.tif"})


def test_one_engine_serves_a_batch() -> None:
    a, b = Segment(engine="classical", labels="x"), Segment(engine="classical", diameter_px=9)
    assert a.load_engine() is b.load_engine()
    assert a.load_engine() is not Segment(engine="classical", options={"split": 2}).load_engine()


def test_label_files_say_whether_ids_run_through_z(tmp_path: Path) -> None:
    image = stack()
    for how, linked in (("planes", False), ("volume", True)):
        labels = cm.segment(image, engine="classical", stack=how)
        cm.write_labels(labels, tmp_path / f"{how}.tif")
        read = cm.read_labels(tmp_path / f"{how}.tif")
        assert read.linked_z is linked
        assert count_objects(read) == count_objects(labels) == len(cm.measure(image, read))


def test_small_looking_objects_are_doubted() -> None:
    specks = tuple((10.0 + 12 * row, 10.0 + 12 * column) for row in range(15) for column in range(15))
    light, truth = disc_image(specks, 2.2, (200, 200))
    image = cm.image_from_array((100 + 900 * light).astype(np.uint16))
    result = segment_with(Segment(engine="classical"), image)
    assert "may be noise" in result.warnings[0]
    told = segment_with(Segment(engine="classical", diameter_px=5), image)
    assert told.warnings == ()
    assert count_objects(told.labels) == truth.max()


@pytest.mark.parametrize("thing", [np.zeros((5, 5)), "a.tif", None])
def test_what_is_no_image_is_refused_in_words(thing: object) -> None:
    with pytest.raises(ParameterError, match=r"segment takes Image, not .*image_from_array"):
        cm.segment(thing)


def test_no_gpu_for_engines_that_have_none() -> None:
    with pytest.raises(ParameterError, match="leave out --device cuda"):
        cm.segment(cm.image_from_array(PIXELS), engine="classical", device="cuda")
