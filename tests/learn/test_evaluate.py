"""Evaluation of whole data sets: tables by hand, means and pooled scores, kinds of truth, refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

from cellmetry.errors import InputError, LabelsError, MissingInput, ParameterError, UnknownName
from cellmetry.learn.dataset import DataSet, DataSetCard, Item, read_truth, write_data_set
from cellmetry.learn.evaluate import evaluate
from cellmetry.learn.pairs import PredictedLabels, is_pictured, read_truth_set, take_part
from cellmetry.ops.matching import match_labels


def save(folder: Path, **labels: np.ndarray) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in labels.items():
        tifffile.imwrite(folder / f"{name}.tif", array.astype(np.uint16))
    return folder


def squares(*places: tuple[int, int], side: int = 8, shape: tuple[int, int] = (60, 80)) -> np.ndarray:
    labels = np.zeros(shape, int)
    for number, (y, x) in enumerate(places, start=1):
        labels[y : y + side, x : x + side] = number
    return labels


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Image a: 1 of 1 found; image b: 1 of 3 found and 1 extra; image c: empty, and found so."""
    truth = save(
        tmp_path / "truth", a=squares((2, 2)), b=squares((2, 2), (20, 20), (40, 40)), c=squares(), unused=squares()
    )
    (truth / "unused.tif").unlink()
    predicted = save(
        tmp_path / "found", a_labels=squares((2, 2)), b=squares((2, 2), (50, 70)), c_masks=squares(), other=squares()
    )
    return truth, predicted


def row(table: pd.DataFrame, **where: object) -> pd.Series:
    for key, value in where.items():
        table = table[table[key] == value]
    (found,) = [line for _, line in table.iterrows()]
    return found


def test_means_and_pooled_scores_by_hand(folders):
    found = evaluate(*folders)
    mean = row(found.tables["summary"], average="images")
    pooled = row(found.tables["summary"], average="objects")
    assert mean["n_images"] == 3
    assert (pooled["n_true"], pooled["n_predicted"], pooled["count_error"]) == (4, 3, -1)
    assert mean["ap_50"] == pytest.approx((1 + 1 / 4 + 1) / 3)
    assert pooled["ap_50"] == pytest.approx(2 / 5)
    assert mean["precision_50"] == pytest.approx((1 + 1 / 2 + 1) / 3)
    assert (pooled["precision_50"], pooled["recall_50"]) == (pytest.approx(2 / 3), 1 / 2)
    assert pooled["f1_50"] == pytest.approx(4 / 7)
    assert mean["mean_matched_iou_50"] == pooled["mean_matched_iou_50"] == 1
    assert pooled["panoptic_quality_50"] == pytest.approx(2 / (2 + 1 / 2 + 2 / 2))
    assert pooled["aji"] == pytest.approx(2 / 5)
    assert pooled["pixel_iou"] == pytest.approx(2 / 5)
    assert found.score("ap_50") == mean["ap_50"]
    assert found.score("ap_50", "objects") == pooled["ap_50"]


def test_counts_per_image_and_patch(folders):
    counts = evaluate(*folders).tables["counts"]
    image = row(counts, per="image")
    assert (image["n"], image["mae"], image["bias"]) == (3, pytest.approx(1 / 3), pytest.approx(-1 / 3))
    assert image["mape_percent"] == pytest.approx(100 * (0 + 1 / 3) / 2)  # the empty image has no percentage
    assert row(counts, per="patch")["n"] == 3


def test_tables_are_described_and_agree_with_the_matching(folders):
    truth, predicted = folders
    found = evaluate(truth, predicted, name="mine")
    for name, table in found.tables.items():
        assert [column.name for column in table.attrs["columns"]] == list(table.columns), name
        assert all(column.definition for column in table.attrs["columns"])
    matches = found.tables["matches"]
    assert len(matches) == 30
    expected = match_labels(tifffile.imread(truth / "b.tif"), tifffile.imread(predicted / "b.tif"), iou=0.6)
    line = row(matches, image="b", iou=0.6)
    assert (line["tp"], line["fp"], line["fn"], line["ap"]) == (expected.tp, expected.fp, expected.fn, expected.ap)
    errors = found.tables["errors"]
    assert errors["error"].tolist() == ["missed", "missed", "extra"]
    assert row(errors, error="extra")["centroid_x_px"] == 73.5


def test_what_was_left_out_is_said(folders):
    found = evaluate(*folders)
    (note,) = found.notes
    assert note == "Left out, because no evaluated image has the name: other."
    summary = found.summary()
    assert summary["prediction"] == "found"
    assert summary["overall"]["counts_per_image"]["n"] == 3
    assert summary["modalities"] == {}


def test_modalities_and_kinds_of_truth(tmp_path):
    truth = save(tmp_path / "truth", a=squares((2, 2)), b=squares((2, 2), (20, 20)))
    (tmp_path / "truth" / "c.csv").write_text("x,y\n5,5\n60,30\n")
    predicted = save(
        tmp_path / "found", a=squares((2, 2)), b=squares((2, 2), (21, 20)), c=squares((2, 2)), d=squares((20, 20))
    )
    image = truth / "a.tif"
    items = (
        Item("a", image, truth / "a.tif", modality="phase"),
        Item("b", image, truth / "b.tif", modality="fluorescence"),
        Item("c", image, truth / "c.csv", kind="points", modality="fluorescence"),
        Item("d", image, truth / "b.tif", kind="foreground", modality="fluorescence"),
    )
    data_set = DataSet(DataSetCard(name="mixed"), tmp_path / "mixed", items)
    (tmp_path / "mixed").mkdir()
    write_data_set(data_set)
    found = evaluate(tmp_path / "mixed", predicted)
    images = found.tables["images"].set_index("image")
    assert images.loc["b", "ap_50"] == 1
    assert images.loc["b", "mean_matched_iou_50"] == pytest.approx(np.mean([1, 56 / 72]))
    assert (images.loc["c", "n_true"], images.loc["c", "n_predicted"]) == (2, 1)
    assert pd.isna(images.loc["c", "ap_50"])
    assert pd.isna(images.loc["d", "n_true"])
    assert images.loc["d", "pixel_recall"] == 0.5
    summary = found.tables["summary"]
    assert summary["modality"].tolist() == ["all", "all", "fluorescence", "fluorescence", "phase", "phase"]
    assert row(summary, modality="fluorescence", average="images")["n_images"] == 3
    assert row(summary, modality="phase", average="objects")["ap_mean"] == 1
    assert found.summary()["modalities"]["phase"]["mean_over_images"]["ap_50"] == 1


def test_partly_annotated_items(tmp_path):
    annotated = np.zeros((60, 80), int)
    annotated[:, :40] = 1
    save(tmp_path, truth=squares((2, 2)), found=squares((2, 2), (2, 60)), annotated=annotated)
    item = Item("a", tmp_path / "truth.tif", tmp_path / "truth.tif", annotated=tmp_path / "annotated.tif")
    found = evaluate(
        DataSet(DataSetCard(name="part"), tmp_path, (item,)), lambda _: tifffile.imread(tmp_path / "found.tif")
    )
    assert found.score("ap_mean") == 1
    assert "Annotated in parts only: 1 of 1" in found.notes[0]


def test_one_image_is_read_at_a_time(folders):
    """The predictor is asked once for each item, in order, and only its last answer is alive."""
    import weakref

    data_set = read_truth_set(folders[0])
    asked, alive = [], []

    def predict(item: Item) -> np.ndarray:
        assert sum(reference() is not None for reference in alive) <= 1
        asked.append(item.name)
        labels = read_truth(item)
        alive.append(weakref.ref(labels))
        return labels

    assert evaluate(data_set, predict).score("ap_mean") == 1
    assert asked == ["a", "b", "c"]


def test_images_choose_what_is_evaluated(tmp_path):
    truth = save(tmp_path / "truth", f1_masks=squares((2, 2)), f2_masks=squares((2, 2)))
    images = save(tmp_path / "images", f1=squares((2, 2)))
    data_set = read_truth_set(truth, [images])
    assert [(item.name, is_pictured(item)) for item in data_set.items] == [("f1", True)]
    assert not any(is_pictured(item) for item in read_truth_set(truth).items)
    save(images, f3=squares())
    with pytest.raises(MissingInput, match=r"f3\.tif has no truth"):
        read_truth_set(truth, [images])


def test_single_files_and_folders_of_runs(tmp_path):
    truth = save(tmp_path / "truth", one=squares((2, 2)))
    save(tmp_path / "other", name=squares((2, 2)))
    assert evaluate(truth / "one.tif", tmp_path / "other" / "name.tif").score("ap_50") == 1
    run = tmp_path / "run"
    save(run / "labels", one_labels=squares((2, 2)))
    save(run / "overlays", one_overlay=squares())
    assert evaluate(truth, run).score("ap_50") == 1
    save(tmp_path / "deep" / "sub", one=squares((2, 2)))
    assert list(PredictedLabels(tmp_path / "deep", []).files) == ["sub_one"]


def test_refusals(folders, tmp_path):
    truth, predicted = folders
    (tmp_path / "nothing").mkdir()
    with pytest.raises(MissingInput, match="holds no label image"):
        evaluate(truth, tmp_path / "nothing")
    with pytest.raises(MissingInput, match="does not exist"):
        evaluate(truth, tmp_path / "nowhere")
    save(truth, d=squares())
    with pytest.raises(MissingInput, match=r"1 of 4 true images have no prediction .* d_labels\.tif"):
        evaluate(truth, predicted)
    save(predicted, d=squares()[:50])
    with pytest.raises(LabelsError, match=r"d: the prediction is of 50 × 80 pixels, the truth .*d\.tif of 60 × 80"):
        evaluate(truth, predicted)
    save(predicted, d_labels=squares())
    with pytest.raises(InputError, match="both hold labels of 'd'"):
        evaluate(truth, predicted)
    with pytest.raises(LabelsError, match="whole numbers"):
        evaluate(truth, lambda item: read_truth(item).astype(float))


def test_a_part_of_a_split(folders, tmp_path):
    data_set = read_truth_set(folders[0])
    lines = "".join(
        f"{data_set.card.name},{name},{part},{name}\n" for name, part in (("a", "train"), ("b", "test"), ("c", "train"))
    )
    (tmp_path / "split.csv").write_text(f"data,name,split,group\n{lines}")
    assert [item.name for item in take_part(data_set, tmp_path / "split.csv", "test").items] == ["b"]
    with pytest.raises(ParameterError, match="none of the 3 items"):
        take_part(data_set, tmp_path / "split.csv", "validation")
    with pytest.raises(UnknownName, match="'tset'"):
        take_part(data_set, tmp_path / "split.csv", "tset")
