"""A report as PDF: every block, nothing beside the page, figures as vectors, the same bytes again."""

from __future__ import annotations

import io
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.pdfgen.canvas import Canvas

from cellmetry.report.document import Bullets, Document, FigureBlock, Heading, InteractiveBlock, TableBlock, Text
from cellmetry.report.figures import new_figure
from cellmetry.report.pdf_document import _register_fonts, write_pdf
from cellmetry.report.pdf_figure import draw_figure
from cellmetry.report.pdf_table import table_flowables

from .test_html_document import HOSTILE, drawn, png

PAGE = re.compile(rb"/Type /Page\b")


def pdf(*blocks) -> bytes:
    return write_pdf(Document("A report", "below it", blocks, "the end"))


def pages(data: bytes) -> int:
    return len(PAGE.findall(data))


def test_every_block_is_written_and_the_same_again() -> None:
    def blocks():
        return (
            Heading(HOSTILE),
            Text("Αβγ × ≥ − µm² 10⁻³", "warning"),
            Text("[[steps]]\nstep = 'a'", "verbatim"),
            Bullets(("one", HOSTILE)),
            TableBlock(pd.DataFrame({"a": [1, 2], "b": ["x", HOSTILE]}), HOSTILE),
            FigureBlock("f", drawn(), HOSTILE),
            FigureBlock("g", png(), "picture"),
        )

    data = pdf(*blocks())
    assert data.startswith(b"%PDF")
    assert pages(data) == 1
    assert data == pdf(*blocks())
    assert b"DejaVuSans" in data


def test_a_long_table_goes_over_pages_and_a_wide_one_is_parted() -> None:
    long = pd.DataFrame({"image": [f"image {i}" for i in range(200)], "n": range(200)})
    assert pages(pdf(TableBlock(long))) >= 4
    wide = pd.DataFrame(np.arange(40).reshape(1, 40) + 10**6, columns=[f"column_{i}" for i in range(40)])
    assert len(table_flowables(wide, 490)) > 3


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.text("abcW _", max_size=200), st.text("xyzM ", max_size=400)), min_size=1, max_size=12),
)
def test_no_table_is_wider_than_the_page(columns) -> None:
    _register_fonts()
    table = pd.DataFrame({place: [cell] for place, (_, cell) in enumerate(columns)})
    table.columns = [head for head, _ in columns]
    canvas = Canvas(io.BytesIO())
    for part in table_flowables(table, 490):
        width, _ = part.wrapOn(canvas, 490, 10_000)
        assert width <= 490 + 1e-6
        if hasattr(part, "_colWidths"):
            assert sum(part._colWidths) <= 490 + 1e-6


def test_an_endless_cell_or_word_does_not_stop_the_report() -> None:
    table = pd.DataFrame({"reason": ["word " * 3000], "hash": ["deadbeef" * 60]})
    assert pages(pdf(TableBlock(table))) > 1


def test_a_figure_larger_than_the_page_is_made_smaller() -> None:
    assert pages(pdf(FigureBlock("f", new_figure(12, 40), "legend " * 200))) == 1


def test_figures_that_fit_stand_side_by_side() -> None:
    blocks = [FigureBlock("f", drawn(3.3), "legend") for _ in range(6)]
    assert pages(pdf(*blocks)) == 1
    assert pages(pdf(*(FigureBlock("f", drawn(6.8), "legend") for _ in range(6)))) == 2


def test_an_interactive_block_and_its_heading_leave_nothing() -> None:
    plot = InteractiveBlock("x", {"data": [], "layout": {}}, "secret")
    with_plot = pdf(Heading("A"), Text("a"), Heading("Plot"), plot, Heading("B"), Heading("part", 3), Text("b"))
    assert with_plot == pdf(Heading("A"), Text("a"), Heading("B"), Heading("part", 3), Text("b"))


def commands(draw) -> str:
    out = io.BytesIO()
    canvas = Canvas(out, pageCompression=0, invariant=1)
    draw(canvas)
    canvas.save()
    return out.getvalue().decode("latin-1")


def test_lines_are_vectors_where_matplotlib_has_them() -> None:
    figure = new_figure(2, 2)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.axis("off")
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.plot([0.25, 0.75], [0.5, 0.5], color="#ff0000", linewidth=3, linestyle="--", alpha=0.5)
    text = commands(lambda canvas: draw_figure(figure, canvas, dpi=100))
    assert re.search(r"36 72 m 108 72 l", text)
    assert "1 0 0 RG" in text
    assert "3 w" in text
    assert re.search(r"\[[\d. ]+\] 0.0 d", text)
    assert "/CA .5" in text
    assert "/Subtype /Image" not in text


def test_pixels_stay_pixels_and_the_figure_keeps_its_resolution() -> None:
    figure = new_figure(2, 2)
    axes = figure.subplots()
    axes.imshow(np.arange(16).reshape(4, 4))
    axes.plot([0, 1], [0, 1], rasterized=True)
    before = figure.dpi
    text = commands(lambda canvas: draw_figure(figure, canvas, dpi=100))
    assert text.count("/Subtype /Image") >= 2
    assert figure.dpi == before
    assert np.isclose(figure.get_size_inches(), 2).all()


@pytest.mark.parametrize("kind", ["note", "warning", "error", "plain"])
def test_texts_that_are_set_off(kind) -> None:
    assert pages(pdf(Text("word " * 100, kind))) == 1
