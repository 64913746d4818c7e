"""A data set taught by another channel: from files of both channels to items, tables and review pictures."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image as Picture

import cellmetry as cm
from cellmetry.engines.segment import Segment
from cellmetry.errors import InputError, ModelError, OutputError, ParameterError
from cellmetry.learn.dataset import read_annotated, read_data_set, read_image, read_truth
from cellmetry.learn.generate import FieldLook, generate_field
from cellmetry.learn.transfer import TransferQuality
from cellmetry.models.versions import save_version
from cellmetry.ops.matching import match_labels
from cellmetry.pipeline.reading import Reading
from cellmetry.pipeline.transfer import TransferPlan, transfer_labels

sys.path.insert(0, str(Path(__file__).parents[1] / "engines"))
from tiny_model import STRIDE, tiny_graph

PLAN = TransferPlan(source="stain", target="bright", segment=Segment(engine="classical", diameter_px=28))
LOOK = FieldLook(
    kind="brightfield", style="defocus", shape=(256, 256), diameter_px=(26, 30), density=(0.3, 0.4), noise=(0.3, 0.4)
)
FILES = Reading(pattern="{field}_{channel}.tif")


@pytest.fixture(scope="module")
def fields() -> list:
    """Return three pairs whose stain shows discs of even light."""
    made = [generate_field(LOOK, seed) for seed in (6, 9, 20)]
    stains = [np.where(each.labels > 0, 900, 100) + (each.labels % 3) * 60 for each in made]
    return [(each, stain.astype(np.uint16)) for each, stain in zip(made, stains, strict=True)]


@pytest.fixture
def images(fields, tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for number, (field, stain) in enumerate(fields):
        tifffile.imwrite(folder / f"f{number}_bright.tif", field.image.astype(np.uint16))
        tifffile.imwrite(folder / f"f{number}_stain.tif", stain)
    return folder


def test_labels_of_the_stain_become_the_truth_of_brightfield(images, fields, tmp_path) -> None:
    result = transfer_labels(PLAN, [images], tmp_path / "out", reading=FILES)
    data_set = read_data_set(tmp_path / "out")
    assert [item.name for item in data_set.items] == ["f0", "f1", "f2"]
    assert result.data_set.items == data_set.items
    for item, (field, _) in zip(data_set.items, fields, strict=True):
        assert np.array_equal(read_image(item), field.image)
        match = match_labels(field.labels, read_truth(item))
        assert match.precision == 1
        assert match.recall > 0.9


def test_tables_say_what_became_of_each_object_and_field(images, tmp_path) -> None:
    result = transfer_labels(PLAN, [images], tmp_path / "out", reading=FILES)
    objects, fields = cm.read_table(tmp_path / "out" / "objects.csv"), cm.read_table(tmp_path / "out" / "fields.csv")
    assert len(objects) == fields["found"].sum() == len(result.objects)
    assert objects["accepted"].sum() == fields["accepted"].sum() > 10
    assert (objects["accepted"] == objects["reason"].isna()).all()
    assert fields["annotated"].between(0.5, 1).all()
    assert set(cm.read_table(tmp_path / "out" / "objects_columns.csv")["name"]) == set(objects.columns)


def test_every_field_has_a_review_picture_of_both_channels(images, tmp_path) -> None:
    transfer_labels(PLAN, [images], tmp_path / "out", reading=FILES)
    with Picture.open(tmp_path / "out" / "review" / "f0.png") as picture:
        assert picture.size == (2 * 512 + 6, 512)
        colours = np.unique(np.asarray(picture).reshape(-1, 3), axis=0).tolist()
    assert [0, 200, 255] in colours


def shifted(images: Path, by: int) -> None:
    for path in images.glob("*_bright.tif"):
        tifffile.imwrite(path, np.roll(tifffile.imread(path), by, axis=1))


def test_shifted_channels_teach_nothing_or_are_aligned_when_told_so(images, fields, tmp_path) -> None:
    shifted(images, 14)
    with pytest.raises(InputError, match=r"None of the 3 fields taught anything; the first: The channels are shifted"):
        transfer_labels(PLAN, [images], tmp_path / "refused", reading=FILES)
    table = cm.read_table(tmp_path / "refused" / "fields.csv")
    assert table["shift_x_px"].median() == pytest.approx(-14, abs=0.5)
    assert table["shift_x_px"].between(-18, -10).all(), "defocus draws edges a few pixels beside where they are"
    plan = PLAN.model_copy(update={"quality": TransferQuality(align=True)})
    transfer_labels(plan, [images], tmp_path / "aligned", reading=FILES)
    item = read_data_set(tmp_path / "aligned").items[0]
    moved = np.roll(fields[0][0].labels, 14, axis=1)
    inside = read_truth(item) > 0
    assert (moved[inside] > 0).mean() > 0.9
    assert not read_annotated(item)[:, :10].any(), "what came in from outside is not annotated"


def test_channels_of_one_file_are_named_in_the_item(fields, tmp_path) -> None:
    field, stain = fields[0]
    path = tmp_path / "both.tif"
    tifffile.imwrite(path, np.stack([stain, field.image.astype(np.uint16)]), imagej=True, metadata={"axes": "CYX"})
    plan = PLAN.model_copy(update={"source": "0", "target": "1"})
    transfer_labels(plan, [path], tmp_path / "out", reading=Reading())
    (item,) = read_data_set(tmp_path / "out").items
    assert item.channel == "1"
    assert np.array_equal(read_image(item), field.image)


def test_a_field_that_cannot_be_used_is_noted_and_the_others_go_on(images, tmp_path) -> None:
    tifffile.imwrite(images / "f1_bright.tif", np.zeros((40, 40), np.uint16))
    result = transfer_labels(PLAN, [images], tmp_path / "out", reading=FILES)
    assert [item.name for item in result.data_set.items] == ["f0", "f2"]
    assert "sizes or types differ" in result.fields["problem"].iloc[1]


def test_one_channel_cannot_teach_itself(images, tmp_path) -> None:
    with pytest.raises(ParameterError, match="both the channel 'stain'"):
        transfer_labels(PLAN.model_copy(update={"target": "stain"}), [images], tmp_path / "out", reading=FILES)
    plan = PLAN.model_copy(update={"segment": Segment(engine="classical", channel="bright")})
    with pytest.raises(ParameterError, match=r"is the source, 'stain'; leave out segment\.channel=bright"):
        transfer_labels(plan, [images], tmp_path / "out", reading=FILES)


BOTH = PLAN.model_copy(update={"source": "0", "target": "1"})


def test_what_was_said_of_the_axes_is_not_lost(fields, tmp_path) -> None:
    field, stain = fields[0]
    tifffile.imwrite(tmp_path / "both.tif", np.stack([stain, field.image.astype(np.uint16)]), metadata=None)
    reading = Reading(axes="CYX", pixel_size_um=0.5)
    transfer_labels(BOTH, [tmp_path / "both.tif"], tmp_path / "out", reading=reading)
    (item,) = read_data_set(tmp_path / "out").items
    assert (item.image, item.channel) == (tmp_path / "out" / "images" / "both.tif", None)
    assert np.array_equal(read_image(item), field.image)
    written = cm.open_image(item.image)
    assert (written.dtype, written.axes, written.pixel_size.x) == (np.uint16, "YX", 0.5)


def test_channels_of_rgb_files_are_written_as_planes(fields, tmp_path) -> None:
    field, stain = fields[0]
    bright = np.clip(field.image / field.image.max() * 255, 0, 255).astype(np.uint8)
    tifffile.imwrite(tmp_path / "rgb.tif", np.stack([stain // 5, bright, bright * 0], -1).astype(np.uint8))
    transfer_labels(BOTH, [tmp_path / "rgb.tif"], tmp_path / "out", reading=Reading(rgb="channels"))
    (item,) = read_data_set(tmp_path / "out").items
    assert np.array_equal(read_image(item), bright)


def test_fields_of_a_well_are_one_group_and_the_card_has_their_pixel_size(images, tmp_path) -> None:
    for path in images.iterdir():
        path.rename(images / f"B0{int(path.name[1]) // 2}_{path.name}")
    reading = Reading(pattern="{Well}_{field}_{channel}.tif", pixel_size_um=0.25)
    made = transfer_labels(PLAN, [images], tmp_path / "out", reading=reading).data_set
    assert [item.group for item in made.items] == ["B00", "B00", "B01"]
    assert made.card.pixel_size_um == (0.25, 0.25)
    unknown = transfer_labels(PLAN, [images / "B00_f0_bright.tif", images / "B00_f0_stain.tif"], tmp_path / "one",
                              reading=Reading(pattern="{field:.+}_{channel}.tif")).data_set  # fmt: skip
    assert (unknown.items[0].group, unknown.card.pixel_size_um) == ("", None)


def test_a_pattern_may_name_wells_of_files_with_both_channels(fields, tmp_path) -> None:
    field, stain = fields[0]
    both = np.stack([stain, field.image.astype(np.uint16)])
    tifffile.imwrite(tmp_path / "C03_1.tif", both, imagej=True, metadata={"axes": "CYX"})
    made = transfer_labels(BOTH, [tmp_path], tmp_path / "out", reading=Reading(pattern="{well}_{field}.tif")).data_set
    (item,) = made.items
    assert (item.group, item.channel, item.image) == ("C03", "1", tmp_path / "C03_1.tif")
    assert np.array_equal(read_image(item), field.image)


def test_nothing_stays_when_it_fails_in_the_middle(images, tmp_path, monkeypatch) -> None:
    def full(_labels: object, path: Path) -> None:
        if path.stem == "f1":
            raise OutputError("The disk is full.")

    monkeypatch.setattr("cellmetry.pipeline.transfer.write_labels", full)
    with pytest.raises(OutputError, match="disk is full"):
        transfer_labels(PLAN, [images], tmp_path / "out", reading=FILES)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_folder_with_contents_and_a_missing_model_are_refused_before_any_work(images, tmp_path) -> None:
    with pytest.raises(OutputError, match="has contents already"):
        transfer_labels(PLAN, [images], images, reading=FILES)
    plan = PLAN.model_copy(update={"segment": Segment(model="nobodys")})
    with pytest.raises(ModelError, match="nobodys"):
        transfer_labels(plan, [images], tmp_path / "out", reading=FILES)
    assert not (tmp_path / "out").exists()


def test_licences_of_images_and_model_are_carried(images, tmp_path) -> None:
    card = {"name": "shut", "licence": "CC-BY-NC-4.0", "non_commercial": True, "training_data": []}
    card |= {"heads": ["foreground", "flow", "density"], "stride": STRIDE, "margin_px": 48}
    save_version(tmp_path / "shut", tiny_graph().SerializeToString(), card)
    plan = PLAN.model_copy(update={"segment": Segment(model=str(tmp_path / "shut")), "licence": "CC-BY-4.0"})
    made = transfer_labels(plan, [images], tmp_path / "out", reading=FILES).data_set.card
    assert (made.licence, made.non_commercial) == ("CC-BY-4.0", True)
    assert "the model shut 1, which found the labels, forbids it" in made.summary
    assert TransferPlan(source="0", target="1", licence="cc-by-nc-4.0").non_commercial
