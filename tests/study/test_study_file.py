"""study.toml: read with errors in words, written with every entry."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellmetry.errors import MissingInput, ParameterError, UnknownName
from cellmetry.report.style import FigureStyle
from cellmetry.stats.comparison.options import Normalise
from cellmetry.stats.dosing import DoseAnalysis
from cellmetry.stats.positive import ControlRule
from cellmetry.study.file import (
    WORDS,
    DesignSection,
    Exclusion,
    Filters,
    ImagesSection,
    Output,
    Rule,
    Second,
    Sheet,
    Study,
    StudyFile,
    load_study,
    parse_study,
)
from cellmetry.study.questions import TableComparison, TableGate
from cellmetry.study.template import study_text

FULL = StudyFile(
    recipe="own.toml",
    set=("segment.diameter_um=12",),
    images=ImagesSection(folder="../x", pattern=r"{well:[A-P]\d+}_{channel}.tif", roles={"0": "phase", "a b": "EdU"}),
    design=DesignSection(
        columns={"condition": "drug"},
        sheets=(Sheet(file="a.csv"), Sheet(file="b.xlsx", join={"Row": "row"})),
        assign=(Rule(column="drug", label='5 "µM"', where="row", values=("A", "B")),),
        names={"01": "Untreated"},
        order=("Untreated",),
        control="Untreated",
        plate_wells=96,
        exclude=(Exclusion(where="well", values=("A01",), reason="dust"),),
    ),
    filters=Filters(keep=("area_um2 > 20",)),
    positive=(TableGate(value="EdU", control=("condition", "Untreated"), rule=ControlRule(percentile=95)),),
    compare=(
        TableComparison(value="EdU", table="nuclei", normalise=Normalise(control="a", within="plate")),
        TableComparison(value="n", total="m"),
    ),
    second=Second(set=("segment.engine=classical",)),
    dose_response=(DoseAnalysis(value="EdU", dose="dose", by="drug"),),
    output=Output(figures=("box",), tables=("r",)),
    style={"width_mm": 100.0, "labels": {"mean EdU": "EdU (a.u.)"}},
)


@pytest.mark.parametrize("said", [StudyFile(), FULL])
def test_what_is_written_is_read_again(said: StudyFile, tmp_path: Path) -> None:
    text = study_text(said, hints={"design": ["Nothing is guessed."]}, kinds={"style": FigureStyle})
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    for place in (tmp_path, tmp_path / "study.toml"):
        assert load_study(place).said == said
    assert "# Nothing is guessed." in text
    assert max(map(len, text.splitlines())) <= 130


TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)


@given(TEXT, st.dictionaries(TEXT, TEXT, max_size=3), st.lists(TEXT, max_size=3), st.floats(0.01, 10))
def test_any_text_survives(text: str, names: dict, order: list, size: float) -> None:
    said = StudyFile(
        images=ImagesSection(folder=text, pattern=text, pixel_size_um=size, roles=names),
        design=DesignSection(names=names, order=tuple(order), sheets=(Sheet(file=text, join=names),)),
    )
    assert parse_study(tomllib.loads(study_text(said))) == said


def test_every_entry_is_stated_and_explained() -> None:
    text = study_text(StudyFile())
    kinds = (
        StudyFile,
        ImagesSection,
        DesignSection,
        Filters,
        TableComparison,
        TableGate,
        Second,
        Output,
        Rule,
        Exclusion,
    )
    for kind in kinds:
        for name, field in kind.model_fields.items():
            assert field.description, f"{kind.__name__}.{name} has no description"
            if name not in ("normalise", "rule"):
                assert name in text, f"{kind.__name__}.{name} is not in the text"
    assert all(word in text for word in WORDS)


WRONG = {
    "section": ({"imges": {}}, "'imges'. Did you mean 'images'"),
    "entry": ({"images": {"foldr": "x"}}, r"\[images\] called 'foldr'. Did you mean 'folder'"),
    "rule": ({"design": {"assign": [{"column": "a", "labl": 1}]}}, r"\[design.assign 1\] called 'labl'"),
    "word": ({"design": {"columns": {"conditon": "x"}}}, "'conditon'. Did you mean 'condition'"),
    "number": ({"images": {"pixel_size_um": 0}}, "pixel_size_um: input should be greater than 0, not 0"),
    "plate": ({"design": {"plate_wells": 95}}, "1536, not 95"),
    "missing": ({"compare": [{"by": "x"}]}, r"\[compare 1\]: value: field required"),
    "table": ({"images": 3}, r"images is a table; begin it \[images\]"),
    "list": ({"compare": {"value": "x"}}, r"compare is a list of tables; begin each \[\[compare\]\]"),
    "empty rule": (
        {"design": {"exclude": [{"where": "well", "values": []}]}},
        "values: tuple should have at least 1 item",
    ),
    "no way": ({"positive": [{"value": "a"}]}, "in one way: a threshold, a control or mixture"),
    "rule without control": ({"positive": [{"value": "a", "threshold": 1, "rule": {"k": 2}}]}, "need a control"),
}


@pytest.mark.parametrize(("table", "words"), WRONG.values(), ids=WRONG)
def test_errors_name_file_entry_and_the_right_word(table: dict, words: str) -> None:
    with pytest.raises(ParameterError, match=words) as caught:
        parse_study(table, where="s/study.toml")
    assert "study.toml" in str(caught.value)


def test_numbers_stand_for_text() -> None:
    said = parse_study(
        {"design": {"assign": [{"column": "condition", "label": 5, "where": "column", "values": [1, 2]}]}}
    )
    assert said.design.assign[0] == Rule(column="condition", label="5", where="column", values=("1", "2"))


def test_files_that_are_no_study(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match="cellmetry study new"):
        load_study(tmp_path)
    file = tmp_path / "study.toml"
    file.write_text("a = = 1")
    with pytest.raises(ParameterError, match="not valid TOML"):
        load_study(file)
    file.write_bytes(b'recipe = "\xff"')
    with pytest.raises(ParameterError, match="not UTF-8"):
        load_study(file)
    file.write_text("[study]\nnam = 1")
    with pytest.raises(UnknownName, match="Did you mean 'name'"):
        load_study(file)


def test_names_and_paths_of_a_study(tmp_path: Path) -> None:
    study = Study(tmp_path / "edu.cellmetry" / "study.toml", StudyFile(images=ImagesSection(folder="../im")))
    assert (study.name, study.recipe) == ("edu", "any")
    assert study.images_folder == (tmp_path / "im").resolve()
    own = Study(study.path, StudyFile(recipe="mine.toml"))
    assert own.recipe == tmp_path / "edu.cellmetry" / "mine.toml"


def test_the_examples_of_the_guide_are_right() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "guide" / "comparing" / "design.md"
    blocks = re.findall(r"^```toml\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert [parse_study(tomllib.loads(block)).design.control for block in blocks] == ["Untreated"]
