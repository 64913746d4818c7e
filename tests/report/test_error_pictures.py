"""Pictures of errors: the right part, the right colours, the right words; sentences and figures."""

from __future__ import annotations

import re

import numpy as np
import pytest
import tifffile

from cellmetry.errors import LabelsError
from cellmetry.learn.dataset import DataSet, DataSetCard, Item
from cellmetry.learn.evaluate import evaluate
from cellmetry.report.colours import parse_colour
from cellmetry.report.error_pictures import ERROR_COLOURS, draw_worst
from cellmetry.report.figures import PAGE, PAPER, figure_png, figure_svg
from cellmetry.report.score_figures import draw_counts, draw_curves
from cellmetry.report.score_words import headline, number, signed


@pytest.fixture
def evaluation(tmp_path):
    """One image of 400 × 500 pixels: an object found upper left, one missed and one extra lower right."""
    truth, predicted = np.zeros((400, 500), np.uint16), np.zeros((400, 500), np.uint16)
    truth[10:30, 10:30] = predicted[10:30, 10:30] = 4464
    truth[350:370, 400:420], predicted[300:320, 430:450] = 2, 9
    tifffile.imwrite(tmp_path / "truth.tif", truth)
    tifffile.imwrite(tmp_path / "image.tif", (truth > 0).astype(np.uint16) * 900)
    item = Item("a", tmp_path / "image.tif", tmp_path / "truth.tif")
    return evaluate(DataSet(DataSetCard(name="one"), tmp_path, (item,)), lambda _: predicted, name="mine")


def has_colour(rgb: np.ndarray, kind: str) -> bool:
    colour = np.rint(parse_colour(ERROR_COLOURS[kind]) * 255)
    return bool((rgb == colour).all(axis=-1).any())


def test_the_worst_part_is_shown_with_its_errors(evaluation):
    (picture,) = draw_worst(evaluation)
    assert picture.panels == ("Image", "Truth", "Prediction")
    assert picture.errors == {"missed": 1, "extra": 1}
    assert picture.ap == pytest.approx(1 / 3)
    image, truth, prediction = np.array_split(picture.rgb, 3, axis=1)
    assert not any(has_colour(image, kind) for kind in ERROR_COLOURS)
    assert (has_colour(truth, "missed"), has_colour(truth, "extra")) == (True, False)
    assert (has_colour(prediction, "missed"), has_colour(prediction, "extra")) == (False, True)
    assert not has_colour(truth, "found")  # far away from the errors


def test_an_unknown_image_is_left_out(evaluation, tmp_path):
    item = Item("a", tmp_path / "truth.tif", tmp_path / "truth.tif")
    blind = evaluate(DataSet(DataSetCard(name="one"), tmp_path, (item,)), evaluation.predictor)
    assert next(draw_worst(blind)).panels == ("Truth", "Prediction")


def test_an_image_of_another_size_is_refused(evaluation, tmp_path):
    tifffile.imwrite(tmp_path / "image.tif", np.zeros((40, 50), np.uint16))
    with pytest.raises(LabelsError, match=r"image\.tif has the shape \(40, 50\)"):
        list(draw_worst(evaluation))


def test_nothing_wrong_is_no_picture(evaluation):
    perfect = evaluate(evaluation.data_set, lambda item: tifffile.imread(item.truth))
    assert list(draw_worst(perfect)) == []


def test_headline_says_it_in_words(evaluation):
    words = " ".join(headline(evaluation))
    assert "Found: 1 of 2 true objects (50.0 %)." in words
    assert "Missed: 1. Extra: 1 of 2 predicted objects (50.0 %) fit no true one." in words
    assert "Cut into parts: 0. Several taken for one: 0." in words
    assert "100 % of that area" in words
    assert "neither too many nor too few" in words


def test_numbers_as_text():
    assert [number(value) for value in (0.51249, 12, 1234.56, float("nan"), np.int64(7))] == [
        "0.512",
        "12",
        "1,234.6",
        "–",
        "7",
    ]
    assert [signed(value) for value in (3, -2, 0, -0.5)] == ["+3", "−2", "0", "−0.500"]


def test_figures_show_the_scores_and_take_the_colours_of_the_page(evaluation):
    figure = draw_curves([evaluation], PAPER)
    _, ap = figure.axes[0].lines
    assert ap.get_ydata()[0] == evaluation.score("ap_50")
    points = draw_counts([evaluation], PAPER).axes[0].collections[0].get_offsets()
    assert np.asarray(points).tolist() == [[2, 2]]
    svg = figure_svg(draw_curves([evaluation], PAGE), "AP")
    assert "var(--ink)" in svg
    assert "var(--series-1)" in svg
    assert not re.search(r"#0101|#0102", svg)
    assert "<text" in svg
    assert figure_png(figure)[:4] == b"\x89PNG"
