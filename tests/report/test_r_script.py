"""The R script: names of any kind are text in it and never code, and it says what the comparison was.

R is not needed here: a small reader of R's quotes, comments and brackets judges the text.
"""

from __future__ import annotations

import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellmetry.errors import ParameterError
from cellmetry.report.comparison.r_script import r_script, r_string
from cellmetry.report.style import FigureStyle
from cellmetry.stats.comparison.options import CompareOptions
from cellmetry.stats.comparison.result import Comparison, Design

TOKEN = re.compile(
    r'(?P<text>"(?:[^"\\\n]|\\.)*")|(?P<comment>#[^\n]*)|(?P<open>[([{])|(?P<close>[)\]}])|(?P<quote>["\'`])'
)
ESCAPE = re.compile(r"\\(?:u([0-9a-f]{4})|U([0-9a-f]{8})|(.))", re.DOTALL)
HOSTILE = [
    'a"b\n',
    "'); system('rm -rf ~') #",
    "\\",
    'x\\"',
    "`q`",
    "=1+1",
    "µ 薬 😀",
    "a\tb\rc",
    "%s {0} $x",
    "NA",
    "",
]
names = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)


def comparison(conditions: list[str], **options: object) -> Comparison:
    design = Design(tuple(conditions), paired=True, replicates=(3,) * len(conditions), kind="amount")
    contrasts = pd.DataFrame(
        {
            "condition": conditions[1:],
            "reference": conditions[:1] * (len(conditions) - 1),
            "estimate": [1.5] * (len(conditions) - 1),
            "p_value": [float("nan")] * (len(conditions) - 1),
            "p_adjusted": [0.25] * (len(conditions) - 1),
        }
    )
    empty = pd.DataFrame()
    return Comparison(CompareOptions(**{"value": "area", **options}), design, empty, empty, contrasts, empty)


def literals(code: str) -> list[str]:
    """Return what R reads between quotes; fails where quotes or brackets are not balanced."""
    found, stack = [], []
    pairs = {")": "(", "]": "[", "}": "{"}
    for match in TOKEN.finditer(code):
        assert match["quote"] is None, code[match.start() : match.start() + 60]
        if match["text"]:
            found.append(decoded(match["text"][1:-1]))
        elif match["open"]:
            stack.append(match["open"])
        elif match["close"]:
            assert stack.pop() == pairs[match["close"]]
    assert not stack
    return found


def decoded(text: str) -> str:
    single = {"n": "\n", "t": "\t", "r": "\r"}
    return ESCAPE.sub(lambda m: chr(int(m[1] or m[2], 16)) if m[1] or m[2] else single.get(m[3], m[3]), text)


def skeleton(code: str) -> str:
    return TOKEN.sub(lambda match: '""' if match["text"] else match[0], code)


@given(names)
def test_text_comes_back_from_its_quotes(text: str) -> None:
    quoted = r_string(text)
    assert quoted.isascii()
    assert quoted.isprintable()
    assert literals(quoted) == [text]


@given(st.lists(names, min_size=3, max_size=3, unique=True), names, names)
def test_names_never_become_code(conditions: list[str], value: str, label: str) -> None:
    harmless = r_script(comparison(["a", "b", "c"]), FigureStyle(labels={"area": "x"}))
    code = r_script(comparison(conditions, value=value, by=label, control=None), FigureStyle(labels={value: label}))
    assert code.isascii()
    assert skeleton(code) == skeleton(harmless)
    assert {*conditions, value, label} <= set(literals(code))


def test_hostile_names_are_text() -> None:
    code = r_script(comparison(HOSTILE, value='v"; q()'), cells="tables/cells.csv")
    assert {*HOSTILE, 'v"; q()', "tables/cells.csv", "replicates.csv"} <= set(literals(code))
    assert "rm -rf" not in skeleton(code)


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_what_r_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(ParameterError, match="rename"):
        r_string(text)


def test_the_settings_say_what_the_comparison_was() -> None:
    code = r_script(comparison(["a", "b"], control="a", scale="log", confidence=0.9, total="n_all"))
    for line in (
        *('value = "area"', 'total = "n_all"', 'conditions = c("a", "b")', "paired = TRUE", "log = TRUE"),
        *('adjust = "dunnett"', "confidence = 0.9", "height_mm = 68.0", 'structure(c("a", "b"), names = c("a", "b"))'),
        *("cellmetry_estimate = c(1.5)", "cellmetry_p_value = c(NA_real_)", "estimation_only = FALSE"),
    ):
        assert line in code
    assert 'adjust = "tukey"' in r_script(comparison(["a", "b"]))
    assert 'adjust = "BH"' in r_script(comparison(["a", "b"], adjust="fdr_bh"))
    assert "total = NULL" in r_script(comparison(["a", "b"]))


def test_scripts_of_one_folder_write_different_files() -> None:
    first, second = (r_script(comparison(["a", "b"], value=name), outputs=f"{name}_") for name in ("area", "50 %"))
    assert 'outputs = "area_"' in first
    assert 'outputs = "50 %_"' in second
    places = re.findall(r"(?:ggsave, c\(list\(|write\.csv\(found, )(\w+)\(", first)
    assert places == ["picture", "picture", "output"]
    assert "output <- function(what) paste0(settings$outputs, what)" in first
    assert 'gsub("%", "%%", output(' in first


def test_on_log_scale_means_and_axis_are_logarithmic() -> None:
    code = r_script(comparison(["a", "b"], scale="log"))
    interval = code.partition("interval <- function")[2].partition("groups <-")[0]
    assert "x <- onto(" in interval
    for end in ("mean = back(mean(x))", "low = back(mean(x) - half)", "high = back(mean(x) + half)"):
        assert end in interval
    assert "onto <- if (settings$log) log else identity" in code
    assert "back <- if (settings$log) exp else identity" in code
    assert "if (settings$log) scale_y_log10()" in code.partition("looks <- list(")[2].partition("superplot <-")[0]


def test_every_setting_that_the_code_reads_is_written() -> None:
    code = r_script(comparison(["a", "b"]))
    written = set(re.findall(r"^  (\w+) = ", code.partition("contrasts <-")[0], re.MULTILINE))
    read = set(re.findall(r"settings\$(\w+)", code))
    assert read == written


def test_pygments_knows_every_token() -> None:
    lexers = pytest.importorskip("pygments.lexers")
    tokens = pytest.importorskip("pygments.token")
    wrong = [
        text
        for kind, text in lexers.get_lexer_by_name("r").get_tokens(r_script(comparison(HOSTILE)))
        if kind is tokens.Error
    ]
    assert wrong == []
