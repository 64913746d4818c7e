"""The page of a difference: what was changed, what became of the cells, what the results and conclusions are now."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from cellmetry.report.difference.picture import DIFFERENCE_COLOURS
from cellmetry.report.difference.words import SECTIONS, sentences, shown
from cellmetry.report.numerals import p_text
from cellmetry.report.page import make_page
from cellmetry.report.score_words import is_missing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from cellmetry.study.difference.changes import Change, Difference

__all__ = ["FieldPictures", "diff_page"]

_FOOTER = "Made by Cellmetry. diff.json and the tables beside this page hold everything, every column described."
_ROWS_SHOWN = 200
_TILES = {"kept": "Kept", "changed": "Another outline", "new": "New", "lost": "Lost"}
_LEGEND = {"both": "in both, outline the same", "before": "only before", "after": "only after"}
_FIELDS = {"image": "Image", "labels": "Labels", "kept": "Kept", "changed": "Another outline", "new": "New"}
_FIELDS |= {"lost": "Lost", "reason": "Not compared because"}
_COLUMNS = {"table": "Table", "column": "Column", "images": "Images", "before": "Before", "after": "After"}
_COLUMNS |= {"relative": "Change"}
_CONTRASTS = {"value": "Value", "condition": "Condition", "reference": "Against"}
_TEXT = {"image", "labels", "reason", "table", "column", *_CONTRASTS}


class FieldPictures(NamedTuple):
    """A field that changed much: pictures as data addresses, by what stands above them."""

    image: str
    labels: str
    pictures: dict[str, str]


def diff_page(difference: Difference, fields: Sequence[FieldPictures] = ()) -> str:
    """Return the page as HTML; every text of the user's is escaped, and no script runs."""
    body = "".join(
        (
            f"<header><h1>What changed</h1></header>\n{_folders(difference)}",
            _list("words", sentences(difference)),
            _tiles(difference),
            _list("notes", difference.notes),
            _changes(difference.changes),
            _contrasts(difference),
            _pictures(difference, fields),
            _columns(difference),
            _fields(difference),
        )
    )
    return make_page("What changed", body, _FOOTER, styles=("evaluation.css", "difference/page.css"))


def _folders(difference: Difference) -> str:
    return (
        f'<p class="folders">before <strong>{escape(difference.before)}</strong><br>'
        f"after <strong>{escape(difference.after)}</strong></p>\n"
    )


def _list(kind: str, items: Iterable[str]) -> str:
    lines = "".join(f"<li>{escape(item)}</li>" for item in items)
    return f'<ul class="{kind}">{lines}</ul>\n' if lines else ""


def _tiles(difference: Difference) -> str:
    if not len(difference.fields):
        return ""
    counts = difference.counts
    tiles = "".join(f"<div><dt>{words}</dt><dd>{counts[name]:,}</dd></div>" for name, words in _TILES.items())
    return f'<dl class="figures">{tiles}</dl>\n'


def _changes(changes: Sequence[Change]) -> str:
    parts = []
    for section, heading in SECTIONS.items():
        rows = [change for change in changes if change.section == section]
        lines = "".join(
            f"<tr><td>{escape(row.what)}</td><td>{_side(row.before)}</td><td>{_side(row.after)}</td></tr>"
            for row in rows[:_ROWS_SHOWN]
        )
        head = "<tr><th>What</th><th>Before</th><th>After</th></tr>"
        if rows:
            parts.append(f"<h2>{heading}</h2>\n{_scroll(head, lines)}{_more(len(rows))}")
    return "".join(parts)


def _side(value: Any) -> str:
    return "–" if value is None else escape(shown(value))


def _pictures(difference: Difference, fields: Sequence[FieldPictures]) -> str:
    if not fields:
        return ""
    legend = "".join(
        f'<li><span style="border-color:{colour}"></span>{_LEGEND[key]}</li>'
        for key, colour in DIFFERENCE_COLOURS.items()
    )
    counts = difference.fields.set_index(["image", "labels"])
    shown_fields = "".join(_field(field, counts.loc[(field.image, field.labels)]) for field in fields)
    return f'<h2>Fields that changed most</h2>\n<ul class="legend">{legend}</ul>\n{shown_fields}'


def _field(field: FieldPictures, counts: Any) -> str:
    views = "".join(
        f'<div><p>{escape(title)}</p><img src="{address}" alt="{escape(title)}: {escape(field.image)}"></div>'
        for title, address in field.pictures.items()
    )
    told = ", ".join(f"{counts[name]} {words.lower()}" for name, words in _TILES.items())
    named = f"{field.image} · {field.labels}"
    return (
        f'<figure class="field"><div class="views">{views}</div>'
        f"<figcaption><strong>{escape(named)}</strong> {told}</figcaption></figure>\n"
    )


def _fields(difference: Difference) -> str:
    rows = difference.fields
    if not len(rows) or difference.equal:
        return ""
    moved = rows.assign(moved=difference.amounts)
    columns = dict(_FIELDS) if (rows["reason"] != "").any() else {k: v for k, v in _FIELDS.items() if k != "reason"}
    return f"<h2>Images</h2>\n{_table(moved.sort_values('moved', ascending=False, kind='stable'), columns)}"


def _columns(difference: Difference) -> str:
    rows = difference.columns
    if not len(rows):
        return ""
    words = "Median over the images whose median of cells differs; the largest relative change first."
    return f'<h2>Results</h2>\n<p class="soft">{words}</p>\n{_table(rows, _COLUMNS)}'


def _contrasts(difference: Difference) -> str:
    rows = difference.contrasts
    if not len(rows):
        return ""
    head = "".join(f"<th>{words}</th>" for words in (*_CONTRASTS.values(), "Before", "After"))
    lines = "".join(
        f'<tr class="{"turned" if row["conclusion_changed"] else ""}">'
        + "".join(f"<td>{escape(str(row[name]))}</td>" for name in _CONTRASTS)
        + "".join(f"<td>{_verdict(row, when)}</td>" for when in ("before", "after"))
        + "</tr>"
        for row in rows.head(_ROWS_SHOWN).to_dict("records")
    )
    level = f"Significant: p below {difference.options.significance:g}. A conclusion that changed stands on colour."
    return f'<h2>Conclusions</h2>\n<p class="soft">{level}</p>\n{_scroll(f"<tr>{head}</tr>", lines)}{_more(len(rows))}'


def _verdict(row: dict[Any, Any], when: str) -> str:
    estimate, low, high, p = (row[f"{name}_{when}"] for name in ("estimate", "ci_low", "ci_high", "p"))
    numbers = "" if is_missing(estimate) else f"{estimate:.4g}"
    numbers += "" if is_missing(low) or is_missing(high) else f" ({low:.4g} to {high:.4g})"
    numbers += "" if is_missing(p) else f", {p_text(p)}"
    return f"<b>{escape(row[f'conclusion_{when}'])}</b><br>{numbers.removeprefix(', ')}"


def _table(rows: pd.DataFrame, columns: dict[str, str]) -> str:
    head = "".join(f"<th{'' if key in _TEXT else ' class=number'}>{words}</th>" for key, words in columns.items())
    lines = "".join(
        "<tr>" + "".join(_cell(key, row[key]) for key in columns) + "</tr>"
        for row in rows.head(_ROWS_SHOWN).to_dict("records")
    )
    return _scroll(f"<tr>{head}</tr>", lines) + _more(len(rows))


def _cell(key: str, value: Any) -> str:
    if key in _TEXT:
        return f"<td>{escape(str(value))}</td>"
    if is_missing(value):
        return '<td class="number">–</td>'
    return f'<td class="number">{f"{100 * value:+.3g} %" if key == "relative" else f"{value:,.6g}"}</td>'


def _scroll(head: str, lines: str) -> str:
    return f'<div class="scroll"><table><thead>{head}</thead><tbody>{lines}</tbody></table></div>\n'


def _more(count: int) -> str:
    return f'<p class="soft">{_ROWS_SHOWN} of {count:,}; the tables have all.</p>\n' if count > _ROWS_SHOWN else ""
