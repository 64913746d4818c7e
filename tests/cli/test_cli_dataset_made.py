"""`cellmetry dataset generate` and `cellmetry dataset transfer` as a user has them."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from typer.testing import CliRunner

from cellmetry.cli.app import app
from cellmetry.errors import InputError, OutputError, ParameterError
from cellmetry.learn.dataset import read_data_set, read_image, read_truth

PAIRS = "{channel:images|fluorescence}/{name}.{_}"


def cellmetry(*arguments: object) -> str:
    done = CliRunner().invoke(app, [str(each) for each in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_generate_writes_a_data_set_with_the_shares_asked_for(tmp_path) -> None:
    out = tmp_path / "made"
    said = cellmetry(
        *("dataset", "generate", "--kind", "nuclei=3", "--kind", "phase", "--count", 8, "--size", 64),
        *("--diameter", "10-20", "--seed", 5, "--out", out, "--json"),
    )
    assert json.loads(said) == {"items": 8}
    data_set = read_data_set(out)
    assert data_set.card.name == "made"
    assert data_set.card.licence == "CC0-1.0"
    assert Counter(item.modality for item in data_set.items) == {"nuclei": 6, "phase": 2}
    for item in data_set.items:
        assert read_image(item).shape == read_truth(item).shape == (64, 64)
        assert read_truth(item).max() > 0


def test_the_same_seed_writes_the_same_files(tmp_path) -> None:
    for name in ("a", "b"):
        cellmetry("dataset", "generate", "--count", 5, "--size", 48, "--seed", 2, "--out", tmp_path / name)
    first, second = ({p.name: p.read_bytes() for p in (tmp_path / n / "images").iterdir()} for n in "ab")
    assert len(first) == 5
    assert first.keys() == second.keys()
    for one, other in zip(read_data_set(tmp_path / "a").items, read_data_set(tmp_path / "b").items, strict=True):
        assert np.array_equal(read_image(one), read_image(other))
        assert np.array_equal(read_truth(one), read_truth(other))


def test_generate_leaves_a_folder_with_contents_alone(tmp_path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "items.csv").write_text("image,truth\n")
    with pytest.raises(OutputError, match="has contents already"):
        cellmetry("dataset", "generate", "--count", 1, "--size", 32, "--out", tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["items.csv"]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (("--kind", "phase=many"), "'many' in 'phase=many' is not a number"),
        (("--kind", "nuclei=0"), "shares of kinds are positive"),
        (("--kind", "cellz"), "cellz"),
        (("--count", 0), "count"),
    ],
)
def test_generate_refuses_what_makes_no_sense(wrong: tuple[object, ...], says: str, tmp_path) -> None:
    with pytest.raises(ParameterError, match=says):
        cellmetry("dataset", "generate", *wrong, "--out", tmp_path / "made")


def test_transfer_teaches_brightfield_from_the_stain(tmp_path) -> None:
    cellmetry(
        *("dataset", "generate", "--kind", "brightfield", "--count", 4, "--size", 160, "--diameter", "18-30"),
        *("--seed", 3, "--out", tmp_path / "pairs"),
    )
    command = (
        *("dataset", "transfer", tmp_path / "pairs", "--pattern", PAIRS, "--from", "fluorescence", "--to", "images"),
        *("--engine", "classical", "--set", "min_solidity=0.6", "--set", "faint=none", "--licence", "CC-BY-NC-4.0"),
    )
    said = json.loads(cellmetry(*command, "--out", tmp_path / "taught", "--json"))
    data_set = read_data_set(tmp_path / "taught")
    assert (said["licence"], said["non_commercial"]) == ("CC-BY-NC-4.0", True)
    assert data_set.card.non_commercial
    assert said["fields"] == 4
    assert said["items"] == len(data_set.items) >= 2
    assert said["accepted"] <= said["found"]
    assert all(item.image.parent.name == "images" for item in data_set.items)
    assert (tmp_path / "taught" / "review" / f"{data_set.items[0].name}.png").is_file()
    text = cellmetry(*command, "--out", tmp_path / "again")
    assert "objects in" in text
    assert "Not for commercial use" in text
    with pytest.raises(InputError, match=r"No object was found\."):
        cellmetry(*command, "--set", "segment.cleanup.min_area_px=1e6", "--out", tmp_path / "none")


def test_transfer_refuses_a_setting_that_is_none(tmp_path) -> None:
    command = ("dataset", "transfer", tmp_path, "--from", "a", "--to", "b", "--out", tmp_path / "out")
    with pytest.raises(ParameterError, match="not of the form name=value"):
        cellmetry(*command, "--set", "min_solidity")
    with pytest.raises(ParameterError, match="segment.*tile"):
        cellmetry(*command, "--set", "segment.tile=512")
    with pytest.raises(ParameterError, match="least_solidity"):
        cellmetry(*command, "--set", "least_solidity=0.5")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("--diameter", "60-10"), "diameters is a range"),
        (("--density", "2"), "at most 1"),
        (("--size", "100000"), "16 to 8192 pixels"),
    ],
)
def test_ranges_that_do_not_fit_are_refused_before_anything_is_made(tmp_path, given, says) -> None:
    with pytest.raises(ParameterError, match=says):
        CliRunner().invoke(
            app, ["dataset", "generate", *given, "--out", str(tmp_path / "made")], catch_exceptions=False
        )
    assert not (tmp_path / "made").exists()
