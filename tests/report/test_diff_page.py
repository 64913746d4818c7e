"""Pictures, words and page of a difference: colours where they belong, names as text."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from cellmetry.report.colours import colour_bytes
from cellmetry.report.difference.page import FieldPictures, diff_page
from cellmetry.report.difference.picture import DIFFERENCE_COLOURS, draw_difference
from cellmetry.report.difference.words import change_words, contrast_words, sentences
from cellmetry.study.difference.changes import (
    CELL_CHANGES,
    CONTRAST_CHANGES,
    FIELD_CHANGES,
    RESULT_CHANGES,
    Change,
    Difference,
    DiffOptions,
)

EQUAL = "The two are equal: the same recipe, engine, versions, images and results; objects."
NAME = "<img src=x onerror=alert(1)>"


def table(columns, *rows) -> pd.DataFrame:
    return pd.DataFrame([list(row) for row in rows], columns=[column.name for column in columns])


def difference(changes: tuple[Change, ...] = (), changed: int = 0) -> Difference:
    fields = table(FIELD_CHANGES, (NAME, "cells", 3, changed, 0, 0, ""))
    cells = table(CELL_CHANGES, *((NAME, "cells", "", "changed", 1, 1, 0.9, 10, 9) for _ in range(changed)))
    results = table(RESULT_CHANGES, *(("cells", NAME, NAME, 1.0, 2.0, 1.0, 1.0) for _ in range(changed)))
    contrasts = table(CONTRAST_CHANGES)
    parts = ("run", "labels")
    return Difference(NAME, "b", DiffOptions(), changes, fields, cells, results, contrasts, parts=parts)


def conclusions(*rows: tuple[str, str, str], parts: tuple[str, ...] = ("comparison",)) -> Difference:
    """Return a difference of comparisons without runs: name of the condition, conclusion before and after."""
    contrasts = pd.DataFrame(
        [{"value": "edu", "condition": name, "reference": "c"} for name, _, _ in rows],
        columns=[column.name for column in CONTRAST_CHANGES],
    )
    contrasts["conclusion_before"], contrasts["conclusion_after"] = [row[1] for row in rows], [row[2] for row in rows]
    sides = zip(contrasts["conclusion_before"], contrasts["conclusion_after"], strict=True)
    contrasts["conclusion_changed"] = ["absent" not in pair and pair[0] != pair[1] for pair in sides]
    empty = [table(columns) for columns in (FIELD_CHANGES, CELL_CHANGES, RESULT_CHANGES)]
    return Difference("a", "b", DiffOptions(), (), *empty, contrasts, parts=parts)


def test_a_lost_a_new_a_changed_and_a_kept_object_have_their_colours() -> None:
    before, after = np.zeros((2, 60, 60), np.uint32)
    before[5:20, 5:20] = after[5:20, 5:20] = 1
    before[5:20, 35:50] = 2
    after[35:50, 5:20] = 3
    before[35:50, 35:50], after[35:50, 35:54] = 4, 7
    picture = draw_difference(before, after)
    times = picture.shape[0] // 60
    colours = {name: colour_bytes(code).tolist() for name, code in DIFFERENCE_COLOURS.items()}

    def at(y: float, x: float) -> list[int]:
        return picture[int(y * times), int(x * times)].tolist()

    assert at(5, 12) == colours["both"]
    assert at(5, 42) == colours["before"]
    assert at(35, 12) == colours["after"]
    assert at(35, 42) == colours["after"]
    assert at(12, 12)[2] > at(0, 0)[2]
    assert at(12, 12) == at(42, 42)
    assert at(12, 42)[0] > at(12, 42)[2]
    assert at(42, 12)[2] > at(42, 12)[0]


def test_equal_labels_have_one_colour_and_large_ones_are_thinned() -> None:
    labels = np.zeros((2000, 1000), np.uint32)
    labels[100:900, 100:900] = 70_000
    picture = draw_difference(labels, labels)
    assert picture.shape == (667, 334, 3)
    amber, blue = (colour_bytes(DIFFERENCE_COLOURS[name]) for name in ("before", "after"))
    assert not (picture == amber).all(axis=2).any()
    assert not (picture == blue).all(axis=2).any()
    assert draw_difference(np.zeros((5, 7), np.uint32), np.zeros((5, 7), np.uint32)).any()


def test_equality_is_one_sentence() -> None:
    assert sentences(difference()) == [EQUAL]
    told = sentences(difference((Change("recipe", "segment.diameter_px", 12, 14),), 2))
    assert told[0] == "Changes: recipe (1)."
    assert told[1] == (
        "Objects: 3 kept (60.0 %), 2 with another outline (median IoU 0.900), 0 new, 0 lost, in 1 of 1 label images."
    )
    assert "(+100 %)" in told[2]


def test_contrasts_of_one_side_are_no_other_conclusions() -> None:
    higher, none = "significantly higher", "not significant"
    rows = (("x", higher, none), ("y", none, none), ("z", higher, "absent"), ("w", "absent", higher))
    found = conclusions(*rows)
    assert sentences(found)[-1] == "Conclusions: 1 of 2 contrasts have another one; 1 only before; 1 only after."
    assert sentences(conclusions(*rows[2:]))[-1] == (
        "Conclusions: no contrast is in both; 1 only before; 1 only after."
    )
    assert "in both are the same" in sentences(conclusions(*rows[1:3]))[-1]
    told = contrast_words(found.contrasts.iloc[3].to_dict())
    assert told == "edu: w against c: significantly higher"


def test_what_was_not_compared_is_never_called_the_same() -> None:
    told = sentences(conclusions(("x", "no test", "absent"), parts=()))
    assert told[0].startswith("At least one has no run, so recipe, engine")
    assert not any("same" in sentence for sentence in told)
    assert not conclusions(parts=()).equal
    equal = sentences(conclusions(("x", "no test", "no test")))
    assert equal[0] == "The two are equal: the same settings and contrasts of comparisons."
    assert equal[1].startswith("At least one has no run")
    found = conclusions(("x", "no test", "no test"), parts=("run", "comparison"))
    assert sentences(found)[-1] == "No label image is in both, so no objects were compared."


def test_the_design_is_told_before_the_conclusions_and_the_recipe_is_the_same() -> None:
    row = ("x", "not significant", "significantly higher")
    found = replace(
        conclusions(row, parts=("run", "labels", "study", "comparison")),
        changes=(Change("design", "excluded of B02", "False", "True"),),
    )
    told = sentences(found)
    assert told[:2] == [
        "Changes: design of the images (1).",
        "Recipe, engine, versions, reading and images are the same.",
    ]
    page = diff_page(found)
    assert page.index("excluded of B02") < page.index("<h2>Conclusions</h2>")


def test_changes_in_words() -> None:
    sha = "0123456789abcdef" * 4
    assert change_words(Change("recipe", "a.b", None, 2)) == "a.b: not set → 2"
    assert change_words(Change("recipe", "ball", None, "a step")) == "ball: added"
    assert change_words(Change("images", "x", "an image", None)) == "x: removed"
    assert change_words(Change("engine", "sha256", sha, "b")) == "sha256: 01234567… → b"


def test_names_are_text_on_the_page() -> None:
    found = difference((Change("images", NAME, "an image", None), Change("recipe", "x", NAME, {"a": NAME})), 2)
    page = diff_page(found, [FieldPictures(NAME, "cells", {"Difference": "data:image/png;base64,AA=="})])
    assert "<img src=x" not in page
    assert page.count("&lt;img src=x") >= 6
    assert "script-src" not in page
    assert "data:image/png;base64,AA==" in page
    assert EQUAL in diff_page(difference())
