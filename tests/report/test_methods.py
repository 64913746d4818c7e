"""The methods text says what is in the facts, all of it, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cellmetry.pipeline.recipe import STEPS
from cellmetry.report.methods import FilterFact, ImageFacts, MethodsFacts, ModelFacts, legend, methods_text
from cellmetry.report.references import REFERENCES
from cellmetry.report.step_phrases import phrase_step
from cellmetry.stats.comparison.options import Normalise

from .made_comparison import make_cells, make_comparison

NEEDED = {
    "align_channels": {"reference": "DNA"},
    "bleed_through": {"coefficients": [{"from": "GFP", "into": "RFP", "share": 0.12}]},
    "combine_masks": {"first": "a", "second": "b"},
    "filter_cells": {"keep": ["area_um2 > 50"]},
    "flat_field": {"flat": "flat.tif"},
    "mask": {"channel": "GFP"},
    "normalise": {"method": "z"},
    "peaks": {"first": "GFP"},
    "ring": {"width_px": 3},
    "spots": {"diameter_px": 4.0},
    "subtract_region": {"labels": "empty"},
    "subtract_local": {"width_um": 2.5},
    "subtract_value": {"values": [100.0]},
}


@pytest.mark.parametrize("name", sorted(STEPS.builtin))
def test_every_step_has_a_sentence(name) -> None:
    step_type = STEPS.load(name)
    step = step_type(**NEEDED.get(name, {}))
    for values in (step.model_dump(mode="json"), step.model_dump(mode="json", exclude_none=True), NEEDED.get(name, {})):
        text = phrase_step({"step": name, **values}, step.model_dump(mode="json")).text
        assert text.endswith(".")
        assert text[0].isupper()
        assert "None" not in text
        assert "The step" not in text
        assert "=" not in text  # nothing differs from the defaults given
    for value in NEEDED.get(name, {}).values():
        if isinstance(value, str) and not value.endswith(".tif"):
            assert value in text


def test_a_foreign_step_is_told_by_its_name() -> None:
    assert phrase_step({"step": "own", "size": 3.0}).text == "The step own was applied (size = 3)."


def test_rolling_ball_as_a_paper_says_it() -> None:
    phrase = phrase_step({"step": "rolling_ball", "radius_px": 50.0, "channels": ["EdU"], "variant": "imagej"})
    assert phrase.text == "Background was subtracted from channel EdU by ImageJ's rolling ball (radius 50 px)."
    text = methods_text(MethodsFacts(recipe=({"step": "rolling_ball", "radius_px": 50.0},)))
    assert "(radius 50 px; Sternberg 1983; Schneider et al. 2012)." in text
    assert REFERENCES["sternberg"].full in text.split("References: ")[1]


def test_parameters_that_differ_are_named_and_others_are_not() -> None:
    step = {"step": "segment", "channel": "w0", "tile_px": 512, "cleanup": {"min_area_px": 30.0, "fill_holes": True}}
    defaults = {"tile_px": 1024, "cleanup": {"min_area_px": 0.0, "fill_holes": True}}
    assert phrase_step(step, defaults).text == (
        "Cells were segmented in the channel w0 by the engine cellmetry (tile_px = 512, cleanup.min_area_px = 30)."
    )
    assert "tile_px" not in phrase_step(step).text


def test_images_models_filters_and_software() -> None:
    facts = MethodsFacts(
        images=ImageFacts(54, ("phase", "EdU"), "fluorescence", (0.65, 0.65)),
        models=(ModelFacts("cellmetry", "base", "1.2", "CC-BY-4.0", "0123456789abcdef", "Someone (2025) A model."),),
        filters=(FilterFact("area_um2 > 50", 312, 18312),),
        positivity="mean_EdU is above 812",
        versions={"cellmetry": "1.0", "python": "3.12", "numpy": "2.1", "zarr": "3"},
        recipe_sha256="ab12",
    )
    assert methods_text(facts) == (
        "54 fluorescence images were analysed (channels phase and EdU; pixel size 0.65 µm). The engine cellmetry ran "
        "the model base version 1.2 (licence CC-BY-4.0; SHA-256 0123456789ab…).\n\n"
        "Cells were left out by the filter “area_um2 > 50” (312 of 18,312). A cell was called positive if mean_EdU is "
        "above 812.\n\n"
        "Software: Cellmetry 1.0, Python 3.12 and NumPy 2.1 (Harris et al. 2020). The recipe with all parameters has "
        "the SHA-256 ab12.\n\n"
        f"References: {REFERENCES['numpy'].full} Someone (2025) A model."
    )


def test_nothing_is_said_without_facts() -> None:
    assert methods_text(MethodsFacts()) == ""
    assert methods_text(MethodsFacts(images=ImageFacts(1))) == "1 image was analysed."


def test_statistics_in_words() -> None:
    comparison = make_comparison(make_cells())
    text = methods_text(MethodsFacts(comparisons=(comparison,)))
    for said in (
        "mean_EdU was compared between control, 10 µM drug and serum <free> & 37 °C (column condition).",
        "n = 4 replicates in each condition, 1,440 cells in total.",
        "were treated as pairs (blocks).",
        "Test (two-sided): paired t test of replicate means; correction for several contrasts: Holm (Holm 1979).",
        "Intervals are 95% confidence intervals.",
        "(Lord et al. 2020)",
    ):
        assert said in text
    assert REFERENCES["holm"].full in text
    assert REFERENCES["dunnett"].full not in text
    assert "normal" not in text


def test_one_replicate_is_said_to_be_no_test() -> None:
    comparison = make_comparison(make_cells(replicates=1))
    text = methods_text(MethodsFacts(comparisons=(comparison,)))
    assert "No hypothesis was tested, since no condition has a second replicate." in text
    assert "Test (two-sided)" not in text
    assert legend(comparison).startswith("Means; n = 1 replicate in each condition")
    assert "interval" not in legend(comparison)


def test_unequal_replicates_and_normalisation() -> None:
    made = make_comparison(make_cells(), normalise=Normalise(control="control", within="day", how="robust_z"))
    uneven = replace(made, design=replace(made.design, replicates=(4, 3, 4), paired=False))
    text = methods_text(MethodsFacts(comparisons=(uneven,)))
    assert "n = 4 (control), 3 (10 µM drug) and 4 (serum <free> & 37 °C) replicates" in text
    assert "divided by 1.4826 · MAD of control within the same day" in text
    assert "pairs" not in text
