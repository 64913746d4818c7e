"""Fields of every kind and style: exact truth, the same for a seed, and cells that can be seen."""

from __future__ import annotations

from itertools import product

import cc3d
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.ndimage import gaussian_gradient_magnitude

from cellmetry.learn.generate import KINDS, STYLES, FieldLook, generate_field
from cellmetry.ops.cleanup import fill_holes

LOOKS = [(kind, style) for kind in KINDS for style in STYLES[kind]]


def edges(labels: np.ndarray) -> np.ndarray:
    found = np.zeros(labels.shape, bool)
    found[:-1] |= labels[:-1] != labels[1:]
    found[:, :-1] |= labels[:, :-1] != labels[:, 1:]
    return found


@pytest.mark.parametrize(("kind", "style"), LOOKS)
def test_the_truth_is_one_region_without_holes_for_each_cell(kind: str, style: str) -> None:
    field = generate_field(FieldLook(kind=kind, style=style, shape=(140, 170), diameter_px=(16, 40)), 3)
    labels, n = field.labels, int(field.labels.max())
    assert labels.dtype == np.int32
    assert labels.shape == (140, 170)
    assert n >= 1
    assert np.array_equal(np.unique(labels[labels > 0]), np.arange(1, n + 1))
    assert cc3d.connected_components(labels.astype(np.uint32), connectivity=8, return_N=True)[1] == n
    assert np.array_equal(fill_holes(labels), labels)
    assert (field.kind, field.style) == (kind, style)


@pytest.mark.parametrize(("kind", "style"), LOOKS)
def test_images_hold_whole_counts_of_8_or_16_bits(kind: str, style: str) -> None:
    for seed in range(3):
        field = generate_field(FieldLook(kind=kind, style=style, shape=(96, 96), diameter_px=(16, 40)), seed)
        for plane in (field.image, *field.channels.values()):
            assert plane.dtype == np.float32
            assert plane.shape == (96, 96)
            assert np.array_equal(plane, np.rint(plane))
            assert plane.min() >= 0
            assert plane.max() <= 65535
            assert plane.max() > plane.min()


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_gives_the_same_field_and_another_seed_another(kind: str) -> None:
    look = FieldLook(kind=kind, shape=(96, 128))
    first, again, other = (generate_field(look, seed) for seed in (11, 11, 12))
    assert np.array_equal(first.image, again.image)
    assert np.array_equal(first.labels, again.labels)
    assert first.style == again.style
    assert not np.array_equal(first.image, other.image)


@pytest.mark.parametrize("kind", KINDS)
def test_the_image_changes_most_where_the_truth_has_edges(kind: str) -> None:
    ratios = []
    for seed in range(6):
        look = FieldLook(kind=kind, shape=(160, 160), diameter_px=(24, 48), noise=(0.3, 0.5), density=(0.3, 0.8))
        field = generate_field(look, seed)
        at_edge = edges(field.labels)
        steep = gaussian_gradient_magnitude(field.image, 1.5)
        if at_edge.any():
            ratios.append(steep[at_edge].mean() / steep[~at_edge].mean())
    assert np.median(ratios) > 1.5


@pytest.mark.parametrize(("kind", "brighter"), [("nuclei", True), ("cells", True), ("tissue", False)])
def test_fluorescence_is_bright_and_stain_dark(kind: str, brighter: bool) -> None:
    for seed in range(5):
        look = FieldLook(kind=kind, shape=(160, 160), diameter_px=(20, 40), density=(0.2, 0.5))
        field = generate_field(look, seed)
        inside, outside = field.image[field.labels > 0].mean(), np.median(field.image[field.labels == 0])
        assert (inside > outside) == brighter


def test_brightfield_comes_with_a_stained_channel_of_the_same_cells() -> None:
    for seed in range(5):
        look = FieldLook(kind="brightfield", shape=(160, 160), diameter_px=(20, 40), density=(0.2, 0.6))
        field = generate_field(look, seed)
        stained = field.channels["fluorescence"]
        assert stained[field.labels > 0].mean() > 1.5 * np.median(stained[field.labels == 0])


def test_inverted_fields_are_the_same_turned_from_bright_to_dark() -> None:
    look = FieldLook(kind="nuclei", shape=(96, 96))
    plain, turned = generate_field(look, 4), generate_field(look.model_copy(update={"inverted": 1.0}), 4)
    assert np.array_equal(plain.labels, turned.labels)
    assert np.array_equal(plain.image.max() + plain.image.min() - plain.image, turned.image)


@pytest.mark.parametrize(("kind", "diameter"), list(product(["nuclei", "tissue", "brightfield"], [12.0, 30.0, 70.0])))
def test_cells_have_about_the_diameter_asked_for(kind: str, diameter: float) -> None:
    style = {"nuclei": "plain", "tissue": "blood", "brightfield": None}[kind]
    sizes = []
    for seed in range(4):
        look = FieldLook(kind=kind, style=style, shape=(300, 300), diameter_px=(diameter, diameter), density=(0.2, 0.4))
        labels = generate_field(look, seed).labels
        cut = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
        areas = np.bincount(labels.ravel())
        whole = [area for label, area in enumerate(areas) if label and label not in cut]
        sizes += list(np.sqrt(np.array(whole) * 4 / np.pi))
    assert 0.55 * diameter < np.median(sizes) < 1.45 * diameter


@settings(deadline=None, max_examples=15)
@given(st.sampled_from(KINDS), st.integers(0, 10_000), st.tuples(st.integers(16, 70), st.integers(16, 70)), st.data())
def test_any_look_gives_a_field(kind: str, seed: int, shape: tuple[int, int], data: st.DataObject) -> None:
    low = data.draw(st.floats(4, 120))
    high = data.draw(st.floats(low, 150))
    field = generate_field(FieldLook(kind=kind, shape=shape, diameter_px=(low, high), density=(0, 1)), seed)
    assert field.image.shape == field.labels.shape == shape
    assert np.isfinite(field.image).all()
    assert low - 1e-6 <= field.diameter_px <= high + 1e-6


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"style": "sheet"}, "nuclei has no style 'sheet'; it has plain, spotted, crowded"),
        ({"shape": (8, 64)}, "have 16 to 8192 pixels"),
        ({"shape": (64, 100_000)}, "have 16 to 8192 pixels"),
        ({"density": (0.5, 2.0)}, "a density is at most 1"),
        ({"density": (0.9, 0.1)}, "density is a range"),
        ({"diameter_px": (2, 9)}, "at least 4 pixels wide"),
        ({"colour": 1}, "Extra inputs"),
    ],
)
def test_looks_that_make_no_sense_are_refused(wrong: dict, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        FieldLook(**wrong)
