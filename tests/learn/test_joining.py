"""Rules by which pieces are joined and kept are learnt from pieces whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from cellmetry.learn.joining import fit_joining, sample_joining
from cellmetry.ops.density import density_from_labels
from cellmetry.ops.flows import FlowDecoding, decode_flows, flow_targets
from cellmetry.ops.joining import ContactWeights, Joining, PieceWeights
from cellmetry.ops.matching import match_labels
from cellmetry.ops.pieces import CONTACT_FEATURES, PIECE_FEATURES

UNTAUGHT = Joining(
    one_cell=ContactWeights(**dict.fromkeys(("always", *CONTACT_FEATURES), 0.0)),
    a_cell=PieceWeights(**dict.fromkeys(("always", *PIECE_FEATURES), 0.0)),
)


def crowd(seed: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return cells that touch, and uncertain maps of them: weak flows with noise, and faint debris."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:160, :160]
    truth, debris = np.zeros((160, 160), np.int32), np.zeros((160, 160), np.int32)
    for number in range(1, 40):
        cy, cx = rng.uniform(8, 152, 2)
        free = (truth == 0) & (debris == 0)
        disc = ((y - cy) ** 2 + ((x - cx) / rng.uniform(0.7, 1.4)) ** 2 <= rng.uniform(7, 13) ** 2) & free
        if disc.sum() > 120:
            (debris if number % 4 == 0 else truth)[disc] = number
    shown = np.maximum(truth, debris)
    noise = np.kron(rng.normal(0, 0.4, (2, 32, 32)), np.ones((1, 5, 5)))
    flow = (0.6 * flow_targets(shown) + noise).astype(np.float32)
    foreground = np.where(truth > 0, 0.9, np.where(debris > 0, 0.6, 0.1)).astype(np.float32)
    density = density_from_labels(truth).astype(np.float32) * rng.uniform(0.7, 1.3)
    return truth, {"foreground": foreground[None], "flow": flow, "density": density[None].astype(np.float32)}


def goodness(seed: int, joining: Joining | None) -> float:
    truth, maps = crowd(seed)
    options = FlowDecoding(joining=joining)
    return match_labels(
        truth, decode_flows(maps["foreground"][0], maps["flow"], options, density=maps["density"][0])
    ).f1


def test_what_is_learnt_makes_other_images_better() -> None:
    decoding = FlowDecoding(joining=UNTAUGHT)
    samples = [sample_joining(maps, truth, decoding) for truth, maps in map(crowd, range(8))]
    taught = fit_joining(samples, UNTAUGHT)
    before = np.mean([goodness(seed, None) for seed in range(100, 106)])
    after = np.mean([goodness(seed, taught) for seed in range(100, 106)])
    assert after > before + 0.05
    assert (taught.join_from, taught.keep_from) == (UNTAUGHT.join_from, UNTAUGHT.keep_from)


def test_samples_say_which_pieces_are_one_cell_and_which_are_cells() -> None:
    truth, maps = crowd(0)
    samples = sample_joining(maps, truth, FlowDecoding(joining=UNTAUGHT))
    assert 0 < samples.one_cell.sum() < len(samples.one_cell) == len(samples.contacts)
    assert 0 < samples.a_cell.sum() < len(samples.a_cell) == len(samples.objects)


def test_without_samples_the_rules_stay_and_few_change_them_little() -> None:
    assert fit_joining([], Joining()) == Joining()
    truth, maps = crowd(0)
    few = sample_joining(maps, truth, FlowDecoding())
    few = few._replace(contacts=few.contacts[:1], one_cell=few.one_cell[:1])
    fitted = fit_joining([few], Joining())
    for name, weight in Joining().one_cell.model_dump().items():
        assert getattr(fitted.one_cell, name) == pytest.approx(weight, abs=0.5)


def test_a_feature_that_never_differs_leaves_its_weight_nearly_as_it_was() -> None:
    truth, maps = crowd(0)
    samples = sample_joining(maps, truth, FlowDecoding())
    column = PIECE_FEATURES.index("foreground")
    samples.objects[:, column] = 0.2
    fitted = fit_joining([samples], Joining())
    assert fitted.a_cell.foreground == pytest.approx(Joining().a_cell.foreground, abs=0.1)
    assert all(abs(weight) < 100 for weight in fitted.a_cell.model_dump().values())


def test_an_image_without_cells_or_pieces_teaches_nothing_and_breaks_nothing() -> None:
    empty = np.zeros((1, 40, 40), np.float32)
    maps = {"foreground": empty, "flow": np.zeros((2, 40, 40), np.float32), "density": empty}
    samples = sample_joining(maps, np.zeros((40, 40), np.int32), FlowDecoding())
    assert not len(samples.contacts)
    assert not len(samples.objects)
    assert fit_joining([samples], Joining()) == Joining()
