"""Scores of validation images agree with those of an evaluation, also where only a part was annotated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile

torch = pytest.importorskip("torch", reason="training needs the extra 'train'")

from cellmetry.learn.dataset import Item  # noqa: E402
from cellmetry.learn.image_scores import image_scores  # noqa: E402
from cellmetry.learn.recipe import TrainingRecipe  # noqa: E402
from cellmetry.learn.validation import Example, choose_from_each, read_examples, score_examples, score_means  # noqa: E402
from cellmetry.ops.density import density_from_labels  # noqa: E402
from cellmetry.ops.flows import flow_targets  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor, nn

RECIPE = TrainingRecipe()


class Drawing(torch.nn.Module):
    """Stands for a network that finds exactly these labels, whatever the image."""

    def __init__(self, labels: np.ndarray) -> None:
        super().__init__()
        self.shape = RECIPE.network
        self.any = torch.nn.Parameter(torch.zeros(1))
        density = np.log(np.expm1(np.maximum(density_from_labels(labels), 1e-7)))
        raw = {"foreground": 20.0 * (labels > 0)[None] - 10, "flow": flow_targets(labels), "density": density[None]}
        self.raw = {head: torch.from_numpy(values.astype(np.float32))[None] for head, values in raw.items()}

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        return self.raw


def squares(*corners: tuple[int, int], side: int = 12) -> np.ndarray:
    labels = np.zeros((64, 64), np.int32)
    for number, (y, x) in enumerate(corners, start=1):
        labels[y : y + side, x : x + side] = number
    return labels


def example(truth: np.ndarray, annotated: np.ndarray | None = None, name: str = "a") -> Example:
    return Example("set", Item(name, Path("a.tif"), Path("a.tif")), np.zeros((64, 64), np.float32), truth, annotated)


def scored(network: nn.Module, examples: Sequence[Example]) -> dict[str, float]:
    return score_examples(network, examples, RECIPE.decoding).iloc[0].to_dict()  # type: ignore[arg-type]


def test_what_is_found_is_scored_as_in_an_evaluation() -> None:
    truth, found = squares((4, 4), (4, 40), (40, 4)), squares((4, 4), (6, 40), (40, 40))
    row, expected = scored(Drawing(found), [example(truth)]), image_scores(truth, found)
    assert row["ap50"] == expected.at(0.5).ap == pytest.approx(2 / 4)
    assert row["ap75"] == expected.at(0.75).ap == pytest.approx(1 / 5)
    assert (row["objects"], row["found"], row["true_count"], row["found_off"]) == (3, 3, 3, 0)
    assert expected.pixels is not None
    assert (row["iou"], row["dice"]) == (expected.pixels.iou, expected.pixels.dice)
    assert row["density_count"] == pytest.approx(3, abs=0.01)


def test_where_a_part_was_annotated_the_rule_is_that_of_an_evaluation() -> None:
    """At column 32 annotation ends: one pair lies across it, a true and a found object mostly beyond."""
    annotated = np.zeros((64, 64), bool)
    annotated[:, :32] = True
    truth, found = squares((4, 4), (24, 25), (44, 28)), squares((4, 4), (24, 26), (44, 40), (24, 48))
    row, expected = scored(Drawing(found), [example(truth, annotated)]), image_scores(truth, found, annotated=annotated)
    assert row["ap50"] == expected.at(0.5).ap == 1
    assert row["ap75"] == expected.at(0.75).ap
    assert (row["objects"], row["found"]) == (2, 2)
    both, total = (
        ((truth > 0) & (found > 0))[annotated].sum(),
        (truth > 0)[annotated].sum() + (found > 0)[annotated].sum(),
    )
    assert row["dice"] == pytest.approx(2 * both / total)  # of foreground no object can be left out
    assert "true_count" not in row  # of the whole image it is not known


def test_means_are_over_data_sets_and_errors_of_counts_over_images() -> None:
    examples = [example(squares((4, 4))), example(squares((40, 40)), name="b")]
    other = example(squares((4, 4)), name="c")._replace(data="other")
    means = score_means(score_examples(Drawing(squares((4, 4))), [*examples, other], RECIPE.decoding))  # type: ignore[arg-type]
    assert means["ap50"] == pytest.approx((0.5 + 1.0) / 2)
    assert (means["ap50 set"], means["ap50 other"]) == (0.5, 1.0)
    assert means["found_mae"] == 0


def test_examples_are_brought_to_the_scale_at_which_the_engine_works(tmp_path: Path) -> None:
    truth = squares((4, 4), (30, 30), side=9)  # as large as a circle of 10.2 px
    bright = np.where(truth > 0, 200, 20).astype(np.uint8)
    for name, array in (("image", bright), ("truth", truth.astype(np.uint16))):
        tifffile.imwrite(tmp_path / f"{name}.tif", array)
    pairs = [("set", Item("a", tmp_path / "image.tif", tmp_path / "truth.tif"))]
    (own,), (twice,), (known,) = (
        read_examples(pairs, (0, 100), limits) for limits in (None, (20.31, 90.0), (8.0, 90.0))
    )
    assert own.image.shape == known.image.shape == (64, 64)
    assert twice.image.shape == twice.truth.shape == (128, 128)
    assert np.array_equal(twice.truth, own.truth.repeat(2, 0).repeat(2, 1))
    assert np.array_equal(twice.image > 0.5, twice.truth > 0)


def test_items_are_chosen_evenly_from_every_data_set() -> None:
    items = {
        name: [(name, Item(f"{name}{k}", Path("a"), Path("a"))) for k in range(n)] for name, n in (("x", 3), ("y", 90))
    }
    chosen = choose_from_each([*items["x"], *items["y"]], 10)
    assert len(chosen) == 10
    assert [pair for pair in chosen if pair[0] == "x"] == items["x"]
    assert chosen[-1] == items["y"][-1]
