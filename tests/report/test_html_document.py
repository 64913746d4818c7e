"""A report as HTML holds all of its blocks, fetches nothing, and runs only its own scripts: also in a real browser."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image as Picture

from cellmetry.report.document import Bullets, Document, FigureBlock, Heading, InteractiveBlock, TableBlock, Text
from cellmetry.report.figures import new_figure
from cellmetry.report.html_document import write_html

from .browser import CHROMIUM, Browser

HOSTILE = "<script>alert(1)</script> & \"x\" 'y' </pre>"


def png(size=(40, 30), colour="red") -> bytes:
    out = io.BytesIO()
    Picture.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def drawn(width=3.3, points=5):
    figure = new_figure(width, 2.5)
    figure.subplots().plot(range(points), ".")
    return figure


def interactive(**pictures) -> InteractiveBlock:
    trace = {
        "type": "scatter",
        "mode": "markers",
        "x": [0, 1, 2],
        "y": [1.0, 5.0, 3.0],
        "marker": {"color": "var(--ink)", "size": 14},
        "text": ["value 1<br>first &lt;b&gt;", "value 5<br>second", "value 3<br>third"],
        "customdata": [["a|1", "1, first"], ["a|2", "5, second"], ["</script>|3", "3, third"]],
    }
    layout = {"font": {"color": "var(--ink)"}, "paper_bgcolor": "var(--panel)", "plot_bgcolor": "var(--panel)"}
    return InteractiveBlock("Plot", {"data": [trace], "layout": layout}, "What it shows.", pictures)


def page(*blocks) -> str:
    return write_html(Document("A report", "below it", blocks, "the end"))


def test_every_block_is_there_and_escaped() -> None:
    table = pd.DataFrame({HOSTILE: ["a", HOSTILE], "n": [1, 2000], "p": [0.01234, None]})
    html = page(
        Heading(HOSTILE),
        Text(HOSTILE),
        Text("look out", "warning"),
        Text(f"a = 1\n  b = 2 {HOSTILE}", "verbatim"),
        Heading("Second"),
        Heading("Part", 3),
        Bullets(("one", HOSTILE)),
        TableBlock(table, HOSTILE),
        FigureBlock(HOSTILE, png(), HOSTILE),
    )
    assert "<script" not in html
    assert 'class="warning">look out' in html
    assert "a = 1\n  b = 2" in html
    assert html.count("<h2") == 2
    assert '<td class="number">2,000</td>' in html
    assert '<td class="number">0.0123</td>' in html
    assert '<td class="number">–</td>' in html
    links = re.findall(r'<a href="#(s\d+)">', html)
    assert len(links) == 2
    assert all(f'id="{link}"' in html for link in links)


def test_nothing_is_fetched_and_no_script_runs_without_a_plot() -> None:
    html = page(Text("x"), FigureBlock("f", drawn(), "y"))
    assert "script-src" not in html
    assert re.search(r"default-src 'none'", html)
    assert all(address.startswith("data:") for address in re.findall(r'src="([^"]+)"', html))


def test_a_figure_is_svg_with_letters_as_outlines_and_a_huge_one_is_png() -> None:
    html = page(FigureBlock("f", drawn(), "small"), FigureBlock("g", drawn(points=20_000), "cloud"))
    svg, cloud = re.findall(r'src="data:([^;]+);base64,([^"]+)"', html)
    assert svg[0] == "image/svg+xml"
    assert b"<text" not in base64.b64decode(svg[1])
    assert cloud[0] == "image/png"
    assert html == page(FigureBlock("f", drawn(), "small"), FigureBlock("g", drawn(points=20_000), "cloud"))


def test_figures_in_a_row_stand_together_and_wide_ones_have_their_own() -> None:
    html = page(
        FigureBlock("a", drawn(), "a"), FigureBlock("b", png((300, 100)), "b"), Text("x"), FigureBlock("c", png(), "")
    )
    assert html.count('<div class="plates">') == 2
    assert html.count('class="plate wide"') == 1


def test_plotly_is_there_once_and_allowed_by_its_hash() -> None:
    html = page(interactive(), interactive(**{"a|1": png()}))
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    assert len(scripts) == 2
    assert "plotly.js" in scripts[0][:100]
    for script in scripts:
        assert base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() in html
    values = [json.loads(text) for text in re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', html)]
    assert values[0]["plot"]["data"][0]["customdata"][2][0] == "</script>|3"
    assert values[1]["pictures"]["a|1"].startswith("data:image/png;base64,")


def test_values_that_json_lacks_are_refused() -> None:
    block = InteractiveBlock("x", {"data": [{"y": [float("nan")]}], "layout": {}}, "")
    with pytest.raises(ValueError, match="JSON"):
        page(block)


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "report.html"
    blocks = (Heading("Plot"), interactive(**{"a|2": png((20, 10))}), Heading("Figure"), FigureBlock("f", drawn(), "y"))
    path.write_text(page(*blocks), encoding="utf-8")
    return path


PLACE = """(() => { const area = document.querySelector('.plot'); area.scrollIntoView();
const box = area.getBoundingClientRect(), {xaxis, yaxis} = area._fullLayout, trace = area.data[0];
return [box.x + xaxis._offset + xaxis.d2p(trace.x[1]), box.y + yaxis._offset + yaxis.d2p(trace.y[1])]; })()"""
SHOWN = "document.querySelector('.shown').innerText"


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_a_click_shows_the_cell_in_a_real_browser(report: Path, tmp_path: Path) -> None:
    with Browser(tmp_path / "profile") as browser:
        browser.open(report)
        assert browser.evaluate("document.querySelectorAll('.scatterlayer .points path').length") == 3
        browser.click(*browser.evaluate(PLACE))
        assert "value 5\nsecond" in browser.evaluate(SHOWN)
        assert browser.evaluate("document.querySelector('.shown img').naturalWidth") == 20
        browser.evaluate("document.querySelector('select').focus()")
        browser.press("ArrowDown")
        assert "value 1\nfirst <b>" in browser.evaluate(SHOWN)
        assert "No picture of it." in browser.evaluate(SHOWN)
        assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert browser.said == []


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_the_plot_is_dark_on_a_dark_page(report: Path, tmp_path: Path) -> None:
    with Browser(tmp_path / "profile", width=390, dark=True) as browser:
        browser.open(report)
        colours = "[document.querySelector('.plot')._fullLayout.font.color, getComputedStyle(document.body).color]"
        plot, text = browser.evaluate(colours)
        assert plot.lower() == "#e8edf3"
        assert text == "rgb(232, 237, 243)"
        assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert browser.said == []
