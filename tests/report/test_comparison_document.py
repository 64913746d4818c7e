"""The report says what was found in plain words, in a fixed order, and has no empty section."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cellmetry.report.comparison.document import ComparisonParts, Example, comparison_document
from cellmetry.report.comparison.interactive_superplot import superplot_json
from cellmetry.report.comparison.tables import contrast_table, naive_table, numbers_table, power_table
from cellmetry.report.comparison.words import contrast_sentence
from cellmetry.report.document import Bullets, FigureBlock, Heading, TableBlock, Text
from cellmetry.report.html_document import write_html
from cellmetry.report.methods import ImageFacts, MethodsFacts
from cellmetry.report.pdf_document import write_pdf
from cellmetry.report.style import FigureStyle
from cellmetry.stats.comparison.result import Comparison
from cellmetry.stats.filtering import filter_rows
from cellmetry.study.design.design import Finding

from .made_comparison import CONDITIONS, make_cells, make_comparison
from .test_html_document import drawn, png

CELLS = make_cells()
COMPARISON = make_comparison(CELLS)
ONE = make_comparison(make_cells(replicates=1))
LABELS = {"mean_EdU": "EdU (a.u.)", "10 µM drug": "drug"}


def whole() -> ComparisonParts:
    return ComparisonParts(
        "A study",
        (COMPARISON,),
        labels=LABELS,
        findings=(
            Finding("note", "x", "A note."),
            Finding("error", "y", "One plate holds all."),
            Finding("warning", "z", "W."),
        ),
        plates=(FigureBlock("plate", drawn(), "Plate 1."),),
        examples=(Example("10 µM drug", png(), "EdU; bar 20 µm."),),
        flags=pd.DataFrame({"Condition": CONDITIONS, "Cells": [1, 2, 3]}),
        filters=pd.DataFrame({"Rule": ["area_um2 > 50"], "Removed": [7]}),
        figures=(FigureBlock("superplot", drawn(), "Superplot."), FigureBlock("ecdf", drawn(), "ECDF.")),
        interactive=(superplot_json(CELLS, COMPARISON, FigureStyle(labels=LABELS)),),
        methods=MethodsFacts(images=ImageFacts(12), versions={"cellmetry": "1.0"}),
        provenance={
            "inputs": [{"path": "cells.csv", "sha256": "ab" * 32}],
            "versions": {"cellmetry": "1.0"},
            "recipe": "[[steps]]\nstep = 'segment'",
            "command": "cellmetry compare",
        },
    )


def heads(document, level=2) -> list[str]:
    return [block.text for block in document.blocks if isinstance(block, Heading) and block.level == level]


def test_sections_stand_in_order() -> None:
    document = comparison_document(whole())
    assert heads(document) == [
        "Summary",
        "Design",
        "Example images",
        "Figures",
        "Interactive plot",
        "Contrasts",
        "Assumptions",
        "Plates and batches",
        "Counts and quality",
        "Filters",
        "How many replicates next time",
        "Methods",
        "Provenance",
    ]
    assert document.footer == "Made by Cellmetry 1.0"
    legends = [block.legend for block in document.blocks if isinstance(block, FigureBlock)]
    assert legends == ["EdU; bar 20 µm.", "Figure 1. Superplot.", "Figure 2. ECDF.", "Plate 1."]
    kinds = [block.kind for block in document.blocks if isinstance(block, Text) and block.kind != "plain"]
    assert kinds == ["error", "error", "warning", "note", "verbatim"]


def test_a_table_alone_has_no_empty_sections() -> None:
    document = comparison_document(ComparisonParts("A table", (ONE,)))
    assert heads(document) == ["Summary", "Design", "Contrasts", "Assumptions", "Methods"]
    assert comparison_document(ComparisonParts("Nothing", ())).blocks == ()


def test_both_ways_of_writing_take_it() -> None:
    document = comparison_document(whole())
    assert "EdU (a.u.): drug is" in write_html(document)
    assert write_pdf(document).startswith(b"%PDF")


def test_the_summary_says_estimate_interval_p_and_n() -> None:
    row = COMPARISON.contrasts.iloc[0].to_dict()
    row |= {"estimate": 3.05, "ci_low": 1.36, "ci_high": 4.74, "p_value": 0.0105, "p_adjusted": 0.021, "n_cells": 960}
    assert contrast_sentence(COMPARISON, row, LABELS) == (
        "EdU (a.u.): drug is 3.05 higher than control (95% CI 1.36 to 4.74; p = 0.0105, corrected p = 0.0210; 4 pairs "
        "of replicates, 960 cells)."
    )
    ratio = make_comparison(CELLS, scale="log")
    assert "drug is 3.05 times control" in contrast_sentence(ratio, row, LABELS)
    fraction = replace(COMPARISON, design=replace(COMPARISON.design, kind="fraction", paired=False))
    row |= {"estimate": -0.2, "ci_low": -0.31, "ci_high": -0.1, "p_adjusted": row["p_value"], "n_replicates": 8}
    assert contrast_sentence(fraction, row, {}) == (
        "Fraction of mean_EdU: 10 µM drug is 20.0 percentage points lower than control (95% CI −31.0 to −10.0; "
        "p = 0.0105; 8 replicates, 960 cells)."
    )


def test_one_replicate_has_no_p_value_and_says_why() -> None:
    said = contrast_sentence(ONE, ONE.contrasts.iloc[0].to_dict(), {})
    assert "no p-value: one replicate says nothing of another; one replicate each, 240 cells" in said
    assert "95% interval among wells of one replicate" in said
    assert "CI" not in said


def test_a_missing_estimate_is_said() -> None:
    row = COMPARISON.contrasts.iloc[0].to_dict() | {"estimate": np.nan, "reason": "no cell has a value."}
    assert contrast_sentence(COMPARISON, row, {}).endswith("cannot be compared with control: no cell has a value.")


def test_numbers_of_each_condition_and_replicate() -> None:
    some = COMPARISON.replicates.iloc[1:]
    table = numbers_table(replace(COMPARISON, replicates=some), LABELS)
    assert table["Condition"].tolist() == ["control", "drug", CONDITIONS[2]]
    assert table["day 1"].isna().tolist() == [True, False, False]
    assert table["Replicates"].tolist() == [3, 4, 4]
    assert table["Cells"].tolist() == [360, 480, 480]


def test_the_naive_p_value_stands_beside_that_of_replicates() -> None:
    table = naive_table(COMPARISON, {})
    assert list(table)[2:] == ["p (replicates)", "n replicates", "naive p (cells)", "n cells", "naive test"]
    assert table["n replicates"].tolist() == [4, 4]
    document = comparison_document(whole())
    place = document.blocks.index(Heading("What a test of cells would have claimed", 3))
    assert "not to be reported" in document.blocks[place + 1].text


def test_nuclei_are_called_nuclei_and_the_usual_difference_is_named() -> None:
    nuclei = replace(COMPARISON, options=COMPARISON.options.model_copy(update={"rows": "nuclei"}))
    assert list(naive_table(nuclei, {}))[4:6] == ["naive p (nuclei)", "n nuclei"]
    assert "Nuclei" in numbers_table(nuclei, {})
    blocks = comparison_document(ComparisonParts("Nuclei", (nuclei,))).blocks
    place = blocks.index(Heading("What a test of nuclei would have claimed", 3))
    assert blocks[place + 1].text.startswith("A test that takes nuclei for replicates")
    captions = " ".join(block.caption for block in blocks if isinstance(block, TableBlock))
    usual = nuclei.options.worth(fraction=False)
    assert f"No difference was named: it is {usual}." in captions
    assert "of the mean of" in usual
    assert nuclei.options.model_copy(update={"detect": 2.0}).worth(fraction=False) == ""
    assert nuclei.options.worth(fraction=True) == "10 percentage points"


def test_contrasts_have_few_columns_and_none_that_is_empty() -> None:
    assert list(contrast_table(COMPARISON, {})) == [
        "Condition",
        "Reference",
        "Estimate",
        "95% CI",
        "p",
        "p corrected",
        "Hedges' g",
        "g, 95% CI",
        "n",
    ]
    assert list(contrast_table(ONE, {})) == [
        "Condition",
        "Reference",
        "Estimate",
        "Interval within the replicate",
        "n",
        "No p-value because",
    ]
    assert power_table(COMPARISON, {})["Pairs needed"].tolist() == [3, 3]


def test_several_values_are_told_apart() -> None:
    other = replace(COMPARISON, options=COMPARISON.options.model_copy(update={"value": "area_um2"}))
    document = comparison_document(ComparisonParts("Two", (COMPARISON, other), labels=LABELS))
    assert heads(document, 3)[:2] == ["EdU (a.u.)", "area_um2"]
    captions = [block.caption for block in document.blocks if isinstance(block, TableBlock)]
    assert sum(caption.startswith("Cells of each condition") for caption in captions) == 1
    sentences = next(block for block in document.blocks if isinstance(block, Bullets)).items
    assert len(sentences) == 4


def of_ranks(scale: str = "linear", *, paired: bool = False) -> Comparison:
    made = make_comparison(CELLS, method="rank", scale=scale)
    contrasts = made.contrasts.assign(method=["Mann–Whitney test of replicate means", "estimate only"])
    return replace(made, contrasts=contrasts, design=replace(made.design, paired=paired))


def test_an_estimate_by_ranks_is_called_a_median_shift() -> None:
    first, second = of_ranks().contrasts.to_dict("records")
    assert "drug is, by the median shift, 2.92 higher than" in contrast_sentence(of_ranks(), first, LABELS)
    assert "median" not in contrast_sentence(of_ranks(), second, LABELS)
    assert "drug is, by the median ratio, 2.92 times control" in contrast_sentence(of_ranks("log"), first, LABELS)
    assert list(contrast_table(of_ranks(), {}))[2] == "Median shift"
    assert list(contrast_table(of_ranks("log"), {}))[2] == "Median ratio"
    captions = [each.caption for each in tables(comparison_document(ComparisonParts("Ranks", (of_ranks(),))))]
    assert any("Hodges–Lehmann shifts: the median of all differences" in caption for caption in captions)
    assert any("Those without p-value are differences of means." in caption for caption in captions)


def tables(document) -> list[TableBlock]:
    return [block for block in document.blocks if isinstance(block, TableBlock)]


def test_fractions_are_in_percentage_points_in_every_table() -> None:
    fraction = replace(COMPARISON, design=replace(COMPARISON.design, kind="fraction"))
    fraction = replace(fraction, contrasts=COMPARISON.contrasts.assign(estimate=0.00495, ci_low=0.001, ci_high=0.009))
    table = contrast_table(fraction, {})
    assert table["Estimate (% points)"].tolist() == pytest.approx([0.495, 0.495])
    assert table["95% CI"].tolist() == ["0.100 to 0.900"] * 2
    power = power_table(fraction, {})
    assert power["Difference to find (% points)"].tolist() == pytest.approx([480, 480])
    assert power["Smallest difference found now (% points)"].tolist() == pytest.approx([210, 210])
    assert power["SD of replicates (% points)"].tolist() == pytest.approx(list(100 * COMPARISON.power["sd"]))
    assert "Ratio to find" in power_table(make_comparison(CELLS, scale="log"), {})
    captions = [each.caption for each in tables(comparison_document(ComparisonParts("Shares", (fraction,))))]
    assert any("in percentage points" in caption for caption in captions)


def test_power_is_said_to_be_that_of_one_uncorrected_contrast() -> None:
    captions = [each.caption for each in tables(comparison_document(whole()))]
    (power,) = [caption for caption in captions if "power" in caption]
    assert "one contrast without correction for several" in power


def test_no_naive_test_where_a_replicate_has_one_row() -> None:
    single = replace(COMPARISON, replicates=COMPARISON.replicates.assign(n_cells=1))
    assert not any("would have claimed" in head for head in heads(comparison_document(parts_of(single)), 3))
    nuclei = make_comparison(CELLS, rows="nuclei")
    document = comparison_document(parts_of(nuclei, single))
    place = document.blocks.index(Heading("What a test of nuclei would have claimed", 3))
    assert "takes nuclei for replicates" in document.blocks[place + 1].text
    assert "n nuclei" in document.blocks[place + 2].table
    assert sum("with nuclei as n" in each.caption for each in tables(document)) == 1


def parts_of(*comparisons) -> ComparisonParts:
    return ComparisonParts("A study", comparisons)


def test_filters_have_headings_in_words() -> None:
    cells = CELLS.assign(excluded=CELLS["label"] <= 2)
    counts = filter_rows(cells, ["not excluded", "value > 21"], by=("condition",)).counts
    (table,) = [
        each.table
        for each in tables(comparison_document(replace(whole(), filters=counts)))
        if "Filter" in each.table.columns
    ]
    assert list(table) == ["Condition", "Filter", "Tested", "Do not meet it", "of these for missing values", "Removed"]
    assert set(table["Filter"]) == {"images left out", "value > 21"}
    assert set(table["Condition"]) == {"control", "drug", CONDITIONS[2]}
    assert table["Removed"].sum() == len(cells) - ((cells["value"] > 21) & ~cells["excluded"]).sum()


def test_the_interactive_plot_joins_no_single_replicate() -> None:
    one = replace(ONE, design=replace(ONE.design, paired=True))
    alone = superplot_json(make_cells(replicates=1), one, FigureStyle())
    several = superplot_json(CELLS, COMPARISON, FigureStyle())
    modes = [{trace.get("mode") for trace in each.plot["data"]} for each in (alone, several)]
    assert "lines+markers" not in modes[0]
    assert "lines+markers" in modes[1]
    assert "Lines join" not in alone.legend


def test_of_many_contrasts_the_summary_tells_twelve() -> None:
    many = replace(COMPARISON, contrasts=pd.concat([COMPARISON.contrasts] * 10, ignore_index=True))
    (summary, *_) = [block for block in comparison_document(parts_of(many)).blocks if isinstance(block, Bullets)]
    assert len(summary.items) == 13
    assert summary.items[-1] == "mean_EdU: and 8 more in the table of contrasts."


@pytest.mark.parametrize("p", [0.04, 0.06])
def test_nothing_is_called_significant(p) -> None:
    row = COMPARISON.contrasts.iloc[0].to_dict() | {"p_value": p}
    assert "significant" not in contrast_sentence(COMPARISON, row, {})
