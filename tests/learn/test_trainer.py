"""Training: learns, can be repeated, and goes on after it was stopped as if it had not been."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the extra 'train'")

from cellmetry.learn.dataset import read_data_set  # noqa: E402
from cellmetry.learn.fields import prepare_fields  # noqa: E402
from cellmetry.learn.network import CellNetwork  # noqa: E402
from cellmetry.learn.recipe import TrainingRecipe  # noqa: E402
from cellmetry.learn.trainer import Material, Trainer  # noqa: E402
from cellmetry.learn.validation import read_examples  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

RECIPE = TrainingRecipe.model_validate(
    {
        "heads": ["foreground", "flow", "density"],
        "network": {"widths": [8, 16, 16]},
        "sampling": {"crop_px": 48, "batch": 4},
        "augmentation": {"invert_chance": 0.0, "scale": [0.9, 1.1]},
        "optimisation": {"steps": 12, "validate_every": 4, "learning_rate": 0.005, "averaging": 0.9},
    }
)


class _Stopped(Exception):
    pass


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def start(data: Path, folder: Path, recipe: TrainingRecipe = RECIPE) -> Trainer:
    items = [("discs", item) for item in read_data_set(data).items]
    fields, checking = (
        prepare_fields(part, folder / "cache", percentiles=recipe.percentiles) for part in (items[:-1], items[-1:])
    )
    torch.manual_seed(recipe.seed)
    network = CellNetwork(recipe.network, recipe.heads)
    checked = read_examples(items[-1:], recipe.percentiles)
    return Trainer(recipe, network, Material(fields, checking, checked, ()), folder=folder)


def without_time(log: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in log]


def assert_same_weights(first: Trainer, second: Trainer) -> None:
    for name, values in first.network.state_dict().items():
        assert torch.equal(values, second.network.state_dict()[name]), name
    for name, values in first.kept_network().state_dict().items():
        assert torch.equal(values, second.kept_network().state_dict()[name]), name


def test_the_same_seed_gives_the_same_network_and_another_seed_another(
    discs: Callable[..., Path], tmp_path: Path
) -> None:
    data = discs()
    trainers = [
        start(data, tmp_path / str(number), RECIPE.model_copy(update={"seed": seed}))
        for number, seed in enumerate((0, 0, 1))
    ]
    for trainer in trainers:
        trainer.run()
    assert_same_weights(trainers[0], trainers[1])
    assert without_time(trainers[0].log) == without_time(trainers[1].log)
    assert trainers[0].log[-1]["loss"] != trainers[2].log[-1]["loss"]


def test_a_training_that_was_stopped_goes_on_as_if_it_had_not_been(discs: Callable[..., Path], tmp_path: Path) -> None:
    data = discs()
    whole = start(data, tmp_path / "whole")
    whole.run()

    def stop(trainer: Trainer) -> None:
        if trainer.step == 8:
            raise _Stopped

    stopped = start(data, tmp_path / "stopped")
    with pytest.raises(_Stopped):
        stopped.run(hear=stop)
    resumed = start(data, tmp_path / "stopped")
    resumed.resume()
    assert resumed.step == 8
    resumed.run()
    assert without_time(resumed.log) == without_time(whole.log)
    assert_same_weights(resumed, whole)


def test_the_loss_of_validation_is_of_the_same_crops_each_time_and_falls(
    discs: Callable[..., Path], tmp_path: Path
) -> None:
    options = RECIPE.optimisation.model_copy(update={"steps": 60, "validate_every": 30, "learning_rate": 0.01})
    trainer = start(discs(count=6), tmp_path, RECIPE.model_copy(update={"optimisation": options}))
    trainer.run()
    early, late = (row["validation loss"] for row in trainer.log)
    assert late < 0.9 * early
    assert trainer._validation_loss() == pytest.approx(late)


def test_it_learns_to_find_discs_and_to_count_them(discs: Callable[..., Path], tmp_path: Path) -> None:
    options = RECIPE.optimisation.model_copy(update={"steps": 160, "validate_every": 160, "learning_rate": 0.01})
    trainer = start(discs(count=8), tmp_path, RECIPE.model_copy(update={"optimisation": options}))
    trainer.run()
    last = trainer.log[-1]
    assert last["validation dice"] > 0.9
    assert last["validation ap50"] > 0.6
    assert last["validation density_count_mae"] < 4


def test_batches_do_not_depend_on_order_or_on_workers(discs: Callable[..., Path], tmp_path: Path) -> None:
    sampler = start(discs(), tmp_path).sampler
    ahead = list(sampler.batches(2, 5))
    alone = [sampler.batch(number) for number in (4, 3, 2)][::-1]
    for first, second in zip(ahead, alone, strict=True):
        np.testing.assert_array_equal(first.image, second.image)
        np.testing.assert_array_equal(first.targets["flow"], second.targets["flow"])


@pytest.mark.parametrize("heads", [("foreground",), ("density",), ("flow",), ("foreground", "boundary")])
def test_any_heads_train_alone(discs: Callable[..., Path], tmp_path: Path, heads: tuple[str, ...]) -> None:
    trainer = start(discs(), tmp_path, RECIPE.model_copy(update={"heads": heads}))
    trainer.run()
    assert trainer.step == 12
    assert np.isfinite(trainer.log[-1]["loss"])
