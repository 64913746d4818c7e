"""The methods text says what is in the facts, all of it, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cellmetry.pipeline.recipe import STEPS
from cellmetry.report.methods import FilterFact, ImageFacts, MethodsFacts, ModelFacts, methods_text
from cellmetry.report.methods_statistics import legend
from cellmetry.report.references import REFERENCES
from cellmetry.report.step_phrases import phrase_step
from cellmetry.stats.comparison.options import Normalise
from cellmetry.stats.comparison.result import Comparison

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
        "mean_EdU was compared between control, 10 µM drug and serum <free> & 37 °C.",
        "n = 4 replicates in each condition, 1,440 cells in total; All conditions at once: F = 12.3, p = 0.0012.",
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


def said_of(comparison: Comparison) -> str:
    return methods_text(MethodsFacts(comparisons=(comparison,)))


def test_models_of_cells_are_told_as_models_of_cells() -> None:
    mixed = said_of(make_comparison(make_cells(), method="mixed"))
    assert "All cells entered a model with the condition as fixed and the replicate as random effect" in mixed
    assert "summarised" not in mixed
    gee = make_comparison(make_cells(), method="gee", rows="nuclei")
    said = said_of(replace(gee, design=replace(gee.design, kind="fraction")))
    assert "fractions of all nuclei of conditions, in which nuclei weigh the same" in said
    assert "one fraction" not in said
    untested = make_comparison(make_cells(), method="mixed")
    untested = replace(untested, contrasts=untested.contrasts.assign(p_value=float("nan")))
    assert "summarised by their mean" in said_of(untested)


@pytest.mark.parametrize(
    ("how", "options", "said"),
    [
        ("ratio", {}, "divided by the mean of control"),
        ("ratio", {"summary": "median"}, "divided by the median of control"),
        ("ratio", {"scale": "log"}, "divided by the geometric mean of control"),
        ("difference", {"summary": "median"}, "taken less the median of control"),
    ],
)
def test_normalisation_names_what_is_divided_by(how, options, said) -> None:
    norm = Normalise(control="control", within="day", how=how)
    assert said in said_of(make_comparison(make_cells(), normalise=norm, **options))


def test_geometric_means_are_called_so() -> None:
    log = make_comparison(make_cells(), scale="log")
    assert legend(log).startswith("Geometric mean and 95% confidence interval of replicates;")
    assert "summarised by their geometric mean" in said_of(log)
    assert legend(make_comparison(make_cells(replicates=1), scale="log")).startswith("Geometric means;")


def test_what_was_not_tested_and_has_no_interval_is_said() -> None:
    made = make_comparison(make_cells())
    gone = made.contrasts.assign(ci_low=float("nan"), ci_high=float("nan"))
    assert "Intervals are" not in said_of(replace(made, contrasts=gone))
    assert "The contrasts have no 95% confidence intervals." in said_of(replace(made, contrasts=gone))
    some = made.contrasts.copy()
    some.loc[1, ["p_value", "p_adjusted", "ci_low", "ci_high"]] = float("nan")
    some.loc[1, "reason"] = "one replicate of serum."
    text = said_of(replace(made, contrasts=some))
    assert "1 of 2 contrasts was estimated from means of replicates and not tested: one replicate of serum." in text
    assert "Intervals are 95% confidence intervals; 1 of 2 contrasts have none." in text
    groups = made.groups.assign(ci_low=[1.0, float("nan"), 2.0])
    assert "of replicates where there is more than one;" in legend(replace(made, groups=groups))


def test_estimates_by_ranks_are_told_and_cited() -> None:
    made = make_comparison(make_cells(), method="rank")
    assert "Estimates are Hodges–Lehmann shifts: the median of all averages of two differences of pairs" in said_of(
        made
    )
    assert REFERENCES["hodges"].full in said_of(made)
    assert "Hodges–Lehmann" not in said_of(make_comparison(make_cells()))


def test_images_left_out_are_no_filter_in_code() -> None:
    text = methods_text(MethodsFacts(filters=(FilterFact("not excluded", 12, 3000),)))
    assert text == "Cells were left out with the images left out of the study (12 of 3,000)."


def test_several_values_share_what_is_common() -> None:
    first = make_comparison(make_cells())
    second = replace(first, options=first.options.model_copy(update={"value": "area_um2"}), omnibus="F = 3, p = 0.1")
    options = first.options.model_copy(update={"value": "positive"})
    third = replace(first, options=options, design=replace(first.design, kind="fraction"))
    text = methods_text(MethodsFacts(comparisons=(first, second, third)))
    for once in (
        "Replicates are independent biological repeats",
        "Test (two-sided)",
        "Holm (Holm 1979).",
        "Intervals are 95%",
        "summarised",
    ):
        assert text.count(once) == 1, once
    assert text.startswith(
        "mean_EdU, area_um2 and the fraction of positive cells by positive were compared between control, "
    )
    assert "mean_EdU and area_um2: the cells of a replicate were summarised by their mean" in text
    assert "area_um2: n = 4 replicates in each condition, 1,440 cells in total; F = 3, p = 0.1." in text
    assert "The fraction of positive cells by positive: each replicate gave one fraction" in text
    assert text.count("1,440 cells in total") == 3
    same = replace(second, omnibus=first.omnibus)
    text = methods_text(MethodsFacts(comparisons=(first, same)))
    assert "\n\nmean_EdU and area_um2: n = 4 replicates in each condition, 1,440 cells in total; All" in text
    assert text.count("1,440 cells in total") == 1
    other = replace(second, design=replace(second.design, conditions=("a", "b", "c")))
    text = methods_text(MethodsFacts(comparisons=(first, other)))
    assert "area_um2 was compared between a, b and c: n = 4" in text


def test_what_is_compared_is_told_in_words() -> None:
    words = {"mean_EdU": "the mean intensity of EdU per cell (column mean_EdU)"}
    text = methods_text(MethodsFacts(comparisons=(make_comparison(make_cells()),), words=words))
    assert text.startswith("The mean intensity of EdU per cell (column mean_EdU) was compared between control, ")


def test_software_lists_statsmodels_where_it_is_known() -> None:
    text = methods_text(MethodsFacts(versions={"cellmetry": "1.0", "statsmodels": "0.14"}))
    assert text.startswith("Software: Cellmetry 1.0 and statsmodels 0.14 (Seabold & Perktold 2010).")
