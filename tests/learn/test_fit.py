"""From a folder of images to a model that segments, from Python and from the command line."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import tifffile

torch = pytest.importorskip("torch", reason="training needs the extra 'train'")

from cellmetry.core.labels import count_objects  # noqa: E402
from cellmetry.engines.base import EngineSpec, load_engine  # noqa: E402
from cellmetry.engines.segment import segment  # noqa: E402
from cellmetry.errors import DamagedFile, InputError, OutputError, ParameterError  # noqa: E402
from cellmetry.io.labels import read_labels  # noqa: E402
from cellmetry.io.opening import open_image  # noqa: E402
from cellmetry.learn import fit  # noqa: E402
from cellmetry.learn.dataset import DataSet, DataSetCard, read_data_set, write_data_set  # noqa: E402
from cellmetry.learn.fit import TrainOptions, train_model  # noqa: E402
from cellmetry.learn.network import CellNetwork, NetworkShape  # noqa: E402
from cellmetry.learn.recipe import read_training_recipe  # noqa: E402
from cellmetry.learn.weights import load_network, onnx_bytes  # noqa: E402
from cellmetry.models.store import find_model  # noqa: E402
from cellmetry.models.versions import list_versions, save_version  # noqa: E402
from cellmetry.ops.joining import Joining  # noqa: E402
from cellmetry.ops.matching import match_labels  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SMALL = (
    "network.widths=[8, 16, 16]",
    "sampling.crop_px=48",
    "sampling.batch=4",
    "augmentation.invert_chance=0.0",
    "optimisation.averaging=0.9",
    "optimisation.learning_rate=0.01",
)
SHORT = (*SMALL, "optimisation.steps=6", "optimisation.validate_every=3")
LONGER = (*SMALL, "optimisation.steps=120", "optimisation.validate_every=120")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, discs_in: Callable[..., Path]) -> Path:
    """Return the folder of a model that has learnt to find discs."""
    folder = tmp_path_factory.mktemp("base")
    train_model(TrainOptions((discs_in(folder / "discs", count=9),), folder / "found", changes=LONGER))
    return folder / "found"


def test_a_trained_model_is_run_by_the_engine_and_finds_what_it_learnt(
    base: Path, discs_in: Callable[..., Path], tmp_path: Path
) -> None:
    data = discs_in(tmp_path / "new", count=1, first=90)
    image = open_image(data / "images" / "field90.tif")
    labels = segment(image, engine="cellmetry", model=str(base / "found.onnx"))
    truth = read_labels(data / "labels" / "field90.tif")
    assert match_labels(truth.read().squeeze(), labels.read().squeeze()).f1 > 0.8


def test_the_scores_of_a_card_are_what_its_engine_gives(discs_in: Callable[..., Path], tmp_path: Path) -> None:
    """Cells of 12 px, which the model is told to enlarge to 24: scores are those of enlarged images."""
    data = discs_in(tmp_path / "discs", count=8)
    asked = (*SMALL, "optimisation.steps=60", "optimisation.validate_every=60", "diameters_px=[24, 60]")
    result = train_model(TrainOptions((data,), tmp_path / "model", changes=asked))
    assert result.model is not None
    held_out = result.after.iloc[0]
    labels = segment(open_image(data / "images" / f"{held_out['name']}.tif"), model=str(result.model.path))
    truth = read_labels(data / "labels" / f"{held_out['name']}.tif")
    assert held_out["ap50"] == match_labels(truth.read().squeeze(), labels.read().squeeze()).ap
    assert held_out["found"] == count_objects(labels)
    said = {score.measure: score.value for score in result.model.card.scores}
    assert said["AP at IoU 0.5"] == pytest.approx(result.after["ap50"].mean())


def test_the_folder_tells_all_about_the_training(base: Path) -> None:
    work = base / "training"
    curves = pd.read_csv(work / "curves.csv")
    assert list(curves["step"]) == [120]
    assert {"loss", "validation ap50", "validation iou", "validation dice", "train ap50"} <= set(curves)
    scores = pd.read_csv(work / "scores.csv")
    assert set(scores["part"]) == {"validation"}
    assert (work / "curves.png").stat().st_size > 5000
    assert (work / "sheet.png").stat().st_size > 5000
    assert not (work / "cache").exists()
    card = find_model(base / "found.onnx").card
    assert card.training_data[0].name == "discs"
    assert card.licence == "unknown"
    assert card.decoding.joining not in {None, Joining()}  # fitted on what it learnt from
    assert {score.measure for score in card.scores} >= {
        "AP at IoU 0.5",
        "F1 at IoU 0.5",
        "mean absolute error of the density's sum",
    }
    assert "optimisation.steps=120" in card.recipe
    assert read_training_recipe("standard", card.recipe) == read_training_recipe("standard", LONGER)


def test_a_model_that_is_not_better_is_not_kept_unless_asked(
    base: Path, discs_in: Callable[..., Path], tmp_path: Path
) -> None:
    data = discs_in(tmp_path / "more", count=4, first=20)
    spoilt = (
        "optimisation.learning_rate=0.08",
        "optimisation.steps=8",
        "optimisation.averaging=0.0",
        "sampling.crop_px=48",
    )
    options = TrainOptions((data,), tmp_path / "worse", start=str(base / "found.onnx"), changes=spoilt)
    result = train_model(options)
    assert result.model is None
    assert not list((tmp_path / "worse").glob("*.onnx"))
    assert result.before is not None
    assert result.before["ap50"].mean() > result.after["ap50"].mean()
    kept = train_model(
        TrainOptions((data,), tmp_path / "kept", start=str(base / "found.onnx"), changes=spoilt, keep=True)
    )
    assert kept.model is not None
    assert [learnt.name for learnt in kept.model.card.training_data] == ["discs", "more"]


def test_versions_follow_each_other(discs_in: Callable[..., Path], tmp_path: Path) -> None:
    data = discs_in(tmp_path / "discs", count=4)
    versions = [train_model(TrainOptions((data,), tmp_path / "model", changes=SHORT)).model for _ in range(2)]
    assert [model.card.version for model in versions if model] == ["1", "2"]
    assert find_model(tmp_path / "model" / "model.onnx").card.version == "2"
    assert list_versions(tmp_path / "model", "model") == [1, 2]


def test_licences_and_pixel_sizes_are_handed_on(discs_in: Callable[..., Path], tmp_path: Path) -> None:
    plain = read_data_set(discs_in(tmp_path / "discs", count=4))
    plainly = train_model(
        TrainOptions((plain.folder,), tmp_path / "plain", licence="CC-BY-NC-4.0", changes=SHORT)
    ).model
    assert plainly is not None
    assert plainly.card.non_commercial
    card = DataSetCard(name="discs", licence="CC-BY-NC-4.0", non_commercial=True, pixel_size_um=(0.5, 0.5))
    write_data_set(DataSet(card, tmp_path / "nc", plain.items))
    model = train_model(TrainOptions((tmp_path / "nc",), tmp_path / "model", changes=SHORT)).model
    assert model is not None
    assert model.card.non_commercial
    assert model.card.pixel_size_um == (0.5, 0.5)
    again = train_model(
        TrainOptions(
            (tmp_path / "discs",),
            tmp_path / "next",
            start=str(model.path),
            keep=True,
            changes=("optimisation.steps=2", "sampling.crop_px=48"),
        )
    )
    assert again.model is not None
    assert again.model.card.non_commercial
    assert again.model.card.pixel_size_um == (0.5, 0.5)


def test_what_is_not_annotated_teaches_nothing(discs_in: Callable[..., Path], tmp_path: Path) -> None:
    """Half of each image has no labels though it has discs; a model that ignores it finds them all the same."""
    data = discs_in(tmp_path / "discs", count=9)
    plain = read_data_set(data)
    items = []
    for item in plain.items:
        labels, mask = tifffile.imread(item.truth), np.zeros((72, 72), np.uint8)
        mask[:, :36] = 1
        tifffile.imwrite(item.truth, np.where(mask, labels, 0).astype(np.uint16))
        tifffile.imwrite(tmp_path / f"{item.name}_seen.tif", mask)
        items.append(type(item)(item.name, item.image, item.truth, annotated=tmp_path / f"{item.name}_seen.tif"))
    write_data_set(DataSet(DataSetCard(name="half"), tmp_path / "half", tuple(items)))
    result = train_model(TrainOptions((tmp_path / "half",), tmp_path / "model", changes=LONGER))
    assert result.model is not None
    whole = discs_in(tmp_path / "new", count=1, first=90)
    image = open_image(whole / "images" / "field90.tif")
    found = segment(image, engine="cellmetry", model=str(result.model.path))
    right = read_labels(whole / "labels" / "field90.tif").read().squeeze().copy()
    right[:, :36] = 0
    half = found.read().squeeze().copy()
    half[:, :36] = 0
    assert match_labels(right, half).recall > 0.6


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"resume": True}, OutputError, "no training to go on with"),
        ({"minutes": 1.0, "epochs": 1.0}, ParameterError, "either minutes or epochs"),
        ({"changes": ("optimisation.steps=zero",)}, ParameterError, "steps"),
        ({"changes": ("optimisation.stepps=1",)}, ParameterError, "stepps"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(
    discs_in: Callable[..., Path], tmp_path: Path, changes: dict, error: type[Exception], words: str
) -> None:
    data = discs_in(tmp_path / "discs", count=3)
    with pytest.raises(error, match=words):
        train_model(TrainOptions(**({"data": (data,), "out": tmp_path / "model"} | changes)))
    assert not (tmp_path / "model" / "model.onnx").exists()


def test_foreground_masks_cannot_teach_flows(discs_in: Callable[..., Path], tmp_path: Path) -> None:
    plain = read_data_set(discs_in(tmp_path / "discs", count=3))
    items = tuple(type(item)(item.name, item.image, item.truth, kind="foreground") for item in plain.items)
    write_data_set(DataSet(DataSetCard(name="masks"), tmp_path / "masks", items))
    with pytest.raises(InputError, match="cannot teach flow, density"):
        train_model(TrainOptions((tmp_path / "masks",), tmp_path / "model", changes=SHORT))
    options = TrainOptions((tmp_path / "masks",), tmp_path / "only", heads=("foreground",), changes=SHORT)
    model = train_model(options).model
    assert model is not None
    assert model.card.heads == ("foreground",)


@pytest.mark.parametrize(("kind", "taught"), [("foreground", "foreground"), ("points", "density")])
def test_going_on_from_a_model_says_which_truth_that_needs(
    kind: str, taught: str, discs_in: Callable[..., Path], tmp_path: Path
) -> None:
    network = CellNetwork(NetworkShape(widths=(4, 8)), ("foreground", "flow", "density")).eval()
    card = {
        "licence": "CC0-1.0",
        "training_data": [],
        "heads": network.heads,
        "stride": network.shape.stride,
        "margin_px": network.shape.margin_px,
    }
    start = save_version(tmp_path / "start", onnx_bytes(network), {"name": "start", **card})
    plain, points = read_data_set(discs_in(tmp_path / "discs", count=3)), tmp_path / "points.csv"
    points.write_text("x,y\n20,30\n")
    truths = {"foreground": [item.truth for item in plain.items], "points": [points] * 3}[kind]
    items = tuple(
        type(item)(item.name, item.image, truth, kind=kind) for item, truth in zip(plain.items, truths, strict=True)
    )
    write_data_set(DataSet(DataSetCard(name="mine"), tmp_path / "mine", items))
    options = TrainOptions((tmp_path / "mine",), tmp_path / "model", start=str(start.path))
    with pytest.raises(InputError, match=f"instance labels, or start .* without --from, by --heads {taught}\\.$"):
        train_model(options)


def test_killed_in_the_middle_the_command_goes_on(discs_in: Callable[..., Path], tmp_path: Path) -> None:
    data, out = discs_in(tmp_path / "discs", count=4), tmp_path / "model"
    settings = [*SMALL, "optimisation.steps=100", "optimisation.validate_every=20"]
    command = [sys.executable, "-m", "cellmetry", "train", str(data), "--out", str(out), "--json"]
    command += [part for setting in settings for part in ("--set", setting)]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    until = time.monotonic() + 120
    while not (out / "training" / "curves.csv").is_file() and first.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    first.kill()
    assert b"Error" not in first.communicate()[1]
    before = pd.read_csv(out / "training" / "curves.csv")
    refused = subprocess.run(command, capture_output=True, check=False, text=True)
    assert refused.returncode == 2
    assert "--resume" in refused.stderr
    done = subprocess.run([*command, "--resume"], capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["steps"] == 100
    after = pd.read_csv(out / "training" / "curves.csv")
    pd.testing.assert_frame_equal(after.iloc[: len(before)].drop(columns="seconds"), before.drop(columns="seconds"))
    assert list(after["step"]) == list(range(20, 101, 20))
    assert load_engine("cellmetry", spec=EngineSpec(model=str(out / "model.onnx"))).name == "cellmetry"


def test_new_images_join_and_old_ones_stay_where_they_were(discs_in: Callable[..., Path], tmp_path: Path) -> None:
    data = discs_in(tmp_path / "discs", count=6)
    options = TrainOptions((data,), tmp_path / "model", changes=SHORT)
    train_model(options)
    before = pd.read_csv(tmp_path / "model" / "training" / "split.csv").set_index("name")["split"]
    more = discs_in(tmp_path / "more", count=3, first=40)
    for kind in ("images", "labels"):
        for path in (more / kind).iterdir():
            path.rename(data / kind / path.name)
    train_model(options)
    after = pd.read_csv(tmp_path / "model" / "training" / "split.csv").set_index("name")["split"]
    assert len(after) == 9
    pd.testing.assert_series_equal(after[before.index], before)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"changes": (*SHORT, "seed=5")}, "other choices of seed"),
        ({"changes": (*SHORT, "optimisation.learning_rate=0.02")}, "other choices of optimisation"),
        ({"minutes": 2.0}, "as long as it was begun"),
    ],
)
def test_a_training_goes_on_only_with_the_choices_by_which_it_was_begun(
    discs_in: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict, words: str
) -> None:
    def stop(self: fit._Watch, trainer: object) -> None:
        raise KeyboardInterrupt

    options = TrainOptions((discs_in(tmp_path / "discs", count=4),), tmp_path / "model", changes=SHORT)
    with monkeypatch.context() as patch:
        patch.setattr(fit._Watch, "__call__", stop)
        with pytest.raises(KeyboardInterrupt):
            train_model(options)
    split = (tmp_path / "model" / "training" / "split.csv").read_text()
    with pytest.raises(ParameterError, match=words):
        train_model(replace(options, resume=True, **changes))
    more = discs_in(tmp_path / "more", count=4, first=40)
    with pytest.raises(InputError, match="field40"):
        train_model(replace(options, resume=True, data=(more,)))
    for kind in ("images", "labels"):
        (tmp_path / "discs" / kind / "field00.tif").unlink()
    with pytest.raises((ParameterError, InputError), match="begun with other images|images to train on"):
        train_model(replace(options, resume=True))
    assert (tmp_path / "model" / "training" / "split.csv").read_text() == split
    (tmp_path / "model" / "training" / "checkpoint.pt").write_bytes(b"PK damaged")
    with pytest.raises(DamagedFile, match=r"checkpoint\.pt cannot be read"):
        train_model(replace(options, resume=True))


def test_a_training_that_cannot_begin_leaves_nothing_behind(discs_in: Callable[..., Path], tmp_path: Path) -> None:
    data = discs_in(tmp_path / "discs", count=4)
    tifffile.imwrite(data / "labels" / "field02.tif", np.ones((9, 9), np.uint16))
    with pytest.raises(InputError, match=r"field02\.tif is 9 × 9 pixels"):
        train_model(TrainOptions((data,), tmp_path / "new", changes=SHORT))
    assert not (tmp_path / "new").exists()
    (tmp_path / "old" / "training").mkdir(parents=True)
    with pytest.raises(InputError, match=r"field02\.tif is 9 × 9 pixels"):
        train_model(TrainOptions((data,), tmp_path / "old", changes=SHORT))
    assert (tmp_path / "old" / "training").is_dir()


def test_a_training_that_goes_astray_says_so(discs_in: Callable[..., Path], tmp_path: Path) -> None:
    data = discs_in(tmp_path / "discs", count=4)
    with pytest.raises(ParameterError, match="gone astray at step 1: its loss is inf"):
        train_model(TrainOptions((data,), tmp_path / "model", changes=(*SHORT, "losses.flow=1e39")))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (("network.widths=[4, 4]",), "decides network"),
        (("percentiles=[2, 98]",), "decides percentiles"),
    ],
)
def test_what_a_model_decides_cannot_be_changed(
    base: Path, discs_in: Callable[..., Path], tmp_path: Path, changes: tuple[str, ...], words: str
) -> None:
    data = discs_in(tmp_path / "more", count=4)
    with pytest.raises(ParameterError, match=words):
        train_model(TrainOptions((data,), tmp_path / "model", start=str(base / "found.onnx"), changes=changes))


def test_a_model_goes_on_as_a_deeper_network(base: Path, discs_in: Callable[..., Path], tmp_path: Path) -> None:
    data = discs_in(tmp_path / "more", count=4)
    changes = ("network.blocks=[1, 2]", "optimisation.steps=2", "sampling.crop_px=48")
    start = str(base / "found.onnx")
    result = train_model(TrainOptions((data,), tmp_path / "deep", start=start, changes=changes, keep=True))
    assert result.model is not None
    shape = load_network(result.model).shape
    assert shape.blocks == (1, 2)
    assert shape.widths == (8, 16, 16)
    assert result.model.card.margin_px > find_model(start).card.margin_px


@pytest.mark.parametrize("options", [{"heads": ("flw",)}, {"changes": ("sampling.crop_px=50",)}])
def test_impossible_choices_are_refused_before_anything_is_read(tmp_path: Path, options: dict) -> None:
    with pytest.raises(ParameterError, match="heads|crop_px"):
        train_model(TrainOptions((tmp_path / "nothing",), tmp_path / "model", **options))
