"""The model that comes with the package: that it is the one described, and that it finds cells."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

import cellmetry as cm
from cellmetry.learn.generate import FieldLook, generate_field
from cellmetry.models.store import DEFAULT_MODEL, PACKAGED, find_model
from cellmetry.ops.matching import match_labels

SPLIT = Path(__file__).parents[2] / "training" / "base" / "split.csv"
TESTED = 12
LARGEST_BYTES = 12_000_000


def test_it_is_the_default_is_small_and_says_what_it_learnt_from() -> None:
    model = find_model()
    card = model.card
    assert (card.name, model.path.parent) == (DEFAULT_MODEL, PACKAGED)
    assert len(model.read_weights()) == card.size_bytes <= LARGEST_BYTES
    assert {"foreground", "flow", "density"} <= set(card.heads)
    assert card.segments
    assert not card.non_commercial
    assert {"dsb2018", "bbbc039", "usiigaci", "generated"} <= {each.name for each in card.training_data}
    assert all(each.licence in ("CC0-1.0", "MIT", "BSD-3-Clause") for each in card.training_data)
    assert card.scores
    assert card.counting is not None


@pytest.mark.parametrize("dark", [False, True])
def test_it_finds_generated_nuclei_bright_on_dark_and_dark_on_bright(dark: bool) -> None:
    look = FieldLook(kind="nuclei", shape=(384, 384), diameter_px=(22, 30), density=(0.2, 0.3))
    found, missed, wrong = 0, 0, 0
    for seed in range(20_000, 20_003):
        field = generate_field(look, seed)
        pixels = field.image.max() - field.image if dark else field.image
        match = match_labels(field.labels, cm.segment(cm.image_from_array(pixels, "YX")).read())
        found, missed, wrong = found + match.tp, missed + match.fn, wrong + match.fp
    assert found / (found + missed + wrong) > 0.75


def test_it_finds_nothing_in_noise_and_on_an_empty_image() -> None:
    noise = np.random.default_rng(0).normal(100, 5, (300, 300)).astype(np.float32)
    for pixels in (noise, np.zeros_like(noise)):
        assert cm.segment(cm.image_from_array(pixels, "YX")).read().max() == 0


def test_it_is_good_on_real_images_that_it_has_not_seen(shared: Path) -> None:
    with SPLIT.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if (row["data"], row["split"]) == ("dsb2018", "test")]
    folder = shared / "data" / "dsb2018"
    scores = []
    for row in rows[:: max(1, len(rows) // TESTED)]:
        image = cm.open_image(folder / "images" / f"{row['name']}.png")
        truth = cm.read_labels(folder / "labels" / f"{row['name']}.png").read()
        scores.append(match_labels(truth, cm.segment(image).read()).ap)
    assert np.mean(scores) > 0.7
