"""The table that `cellmetry train` prints: each held-out image before and after, whatever the model puts out."""

from __future__ import annotations

import pandas as pd
from rich.console import Console
from typer.testing import CliRunner

from cellmetry.cli.app import app
from cellmetry.cli.train import scores_table


def lines(before: pd.DataFrame | None, after: pd.DataFrame) -> dict[str, str]:
    """Return the printed lines by their first word, cells parted by one space."""
    console = Console(width=200)
    with console.capture() as printed:
        console.print(scores_table(before, after))
    words = (line.replace("│", " ").replace("┃", " ").split() for line in printed.get().splitlines())
    return {line[0]: " ".join(line[1:]) for line in words if line}


def scores(**columns: list[float]) -> pd.DataFrame:
    names = ["a", "b"][: len(next(iter(columns.values())))]
    return pd.DataFrame({"data": "discs", "name": names, **columns})


def test_each_image_and_the_mean_stand_before_and_after() -> None:
    before = scores(ap50=[0.5, 0.7], objects=[10, 20], found=[6, 21], found_off=[4, 1])
    after = scores(ap50=[0.75, 0.85], objects=[10, 20], found=[9, 20], found_off=[1, 0])
    said = lines(before, after)
    assert said["image"] == "AP 0.5 true cells found off by"
    assert said["a"] == "0.500 → 0.750 10 6 → 9 4.0 → 1.0"
    assert said["b"] == "0.700 → 0.850 20 21 → 20 1.0 → 0.0"
    assert said["mean"] == "0.600 → 0.800 2.5 → 0.5"


def test_images_are_paired_by_name_and_those_without_a_score_before_have_one_number() -> None:
    said = lines(scores(ap50=[0.5, 0.7]).iloc[[1]], scores(ap50=[0.75, 0.85]))
    assert (said["a"], said["b"]) == ("0.750", "0.700 → 0.850")


def test_a_model_that_knows_density_only_shows_the_true_count_too() -> None:
    said = lines(None, scores(true_count=[10, 4], density_count=[9.5, 5.0], density_off=[0.5, 1.0]))
    assert said["image"] == "true cells by density density off by"
    assert (said["a"], said["b"], said["mean"]) == ("10 9.5 0.5", "4 5.0 1.0", "0.8")


def test_help_says_how_parameters_of_training_are_written() -> None:
    shown = CliRunner().invoke(app, ["train", "--help"], env={"COLUMNS": "400"}).stdout
    assert "optimisation.steps=5000" in shown
    assert "segment." not in shown
