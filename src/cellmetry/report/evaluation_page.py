"""The page of an evaluation: what a biologist asks first, then curves, errors to look at, and every image."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from cellmetry.report.error_pictures import ERROR_COLOURS
from cellmetry.report.page import make_page
from cellmetry.report.score_words import NOT_SAID, headline, is_missing, number, row_of, rules, signed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from cellmetry.learn.evaluate import Evaluation
    from cellmetry.report.error_pictures import ErrorPicture

__all__ = ["Shown", "ShownPicture", "evaluation_page"]

_FOOTER = "Made by Cellmetry. The tables folder holds every number of this page, and a description of every column."
_LINKS = ("summary", "thresholds", "counts", "images", "matches", "patches", "errors")
_ROWS_SHOWN = 500
_LEGEND = {
    "found": "found",
    "missed": "missed: in the truth, not found",
    "extra": "extra: found, not in the truth",
    "split": "split: one object cut into parts",
    "merged": "merged: several objects taken for one",
}
_SCORES = (
    ("ap_50", "AP at IoU 0.50", "TP / (TP + FP + FN); 1 is perfect"),
    ("ap_75", "AP at IoU 0.75", "the same, with outlines that fit closely"),
    ("ap_mean", "AP, mean of IoU 0.50 … 0.95", ""),
    ("precision_50", "Precision", "share of what was found that is there"),
    ("recall_50", "Recall", "share of what is there that was found"),
    ("f1_50", "F1", "their balance"),
    ("mean_matched_iou_50", "Mean IoU of found objects", "how well their outlines fit"),
    ("panoptic_quality_50", "Panoptic quality", "F1 × that"),
    ("aji", "Aggregated Jaccard index", "shared pixels of paired objects over all their pixels"),
    ("boundary_f1", "Boundary F-score", "outlines within {tolerance:g} px of each other"),
    ("pixel_precision", "Pixels: precision", "of foreground, objects not told apart"),
    ("pixel_recall", "Pixels: recall", ""),
    ("pixel_f2", "Pixels: F2", "recall weighs more"),
    ("pixel_iou", "Pixels: IoU", ""),
    ("pixel_dice", "Pixels: Dice", ""),
)
_IMAGE_COLUMNS = (
    ("image", "Image"),
    ("modality", "Modality"),
    ("n_true", "True"),
    ("n_predicted", "Predicted"),
    ("count_error", "Count error"),
    ("ap_50", "AP 0.50"),
    ("ap_75", "AP 0.75"),
    ("f1_50", "F1"),
    ("fn_50", "Missed"),
    ("fp_50", "Extra"),
    ("n_split", "Split"),
    ("n_merged", "Merged"),
    ("mean_matched_iou_50", "Mean IoU"),
    ("aji", "AJI"),
    ("boundary_f1", "Boundary F"),
)


class ShownPicture(NamedTuple):
    """A picture of errors, as a data address that stands in the page itself."""

    picture: ErrorPicture
    address: str


class Shown(NamedTuple):
    """An evaluation and its pictures."""

    evaluation: Evaluation
    pictures: Sequence[ShownPicture]


def evaluation_page(shown: Sequence[Shown], figures: Mapping[str, str]) -> str:
    """Return the page as HTML.

    Parameters
    ----------
    shown
        One for each prediction.
    figures
        ``curves`` and ``counts`` as SVG.
    """
    first = shown[0].evaluation
    names = " and ".join([", ".join(each.evaluation.name for each in shown[:-1]), shown[-1].evaluation.name])
    title = f"{names if len(shown) > 1 else first.name} against the truth of {first.data_set.card.name}"
    evaluations = [each.evaluation for each in shown]
    body = "".join(
        (
            _head(title),
            *(_headline(evaluation, len(shown) > 1) for evaluation in evaluations),
            _curves(figures, evaluations),
            _scores(evaluations),
            *(_modalities(evaluation, len(shown) > 1) for evaluation in evaluations),
            *(_worst(each, len(shown) > 1) for each in shown),
            *(_images(evaluation, len(shown) > 1) for evaluation in evaluations),
            _rules(first),
        )
    )
    return make_page(title, body, _FOOTER, styles=("evaluation.css",), script="evaluation.js")


def _head(title: str) -> str:
    links = "".join(f'<li><a href="tables/{name}.csv">{name}.csv</a></li>' for name in _LINKS)
    links += '<li><a href="evaluation.json">evaluation.json</a></li>'
    return f'<header><h1>{escape(title)}</h1><ul class="links">{links}</ul></header>\n'


def _headline(evaluation: Evaluation, several: bool) -> str:
    means, counts = row_of(evaluation, "summary", average="images"), row_of(evaluation, "counts", per="image")
    figures = [
        ("Images", f"{means['n_images']:,}"),
        ("True objects", number(means["n_true"])),
        ("AP at IoU 0.50", number(means["ap_50"])),
        ("AP at IoU 0.75", number(means["ap_75"])),
        ("F1 at IoU 0.50", number(means["f1_50"])),
        ("Count off by, per image", "–" if is_missing(counts["mae"]) else f"{counts['mae']:.1f}"),
    ]
    tiles = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in figures)
    words = "".join(f"<li>{escape(sentence)}</li>" for sentence in headline(evaluation))
    notes = "".join(f"<li>{escape(note)}</li>" for note in evaluation.notes)
    return (
        _title(evaluation, several, "h2")
        + f'<dl class="figures">{tiles}</dl>\n<ul class="words">{words}</ul>\n'
        + (f'<ul class="notes">{notes}</ul>\n' if notes else "")
    )


def _title(evaluation: Evaluation, several: bool, level: str) -> str:
    return f"<{level}>{escape(evaluation.name)}</{level}>\n" if several else ""


def _curves(figures: Mapping[str, str], evaluations: Sequence[Evaluation]) -> str:
    captions = {
        "curves": "How the scores fall when outlines must fit better: at 0.5 half of the two outlines' area is shared, "
        "at 0.95 nearly all. Mean over images.",
        "counts": "Each point is an image; on the line, the count is right.",
    }
    known = {"curves": any(len(each.tables["matches"]) for each in evaluations)}
    known["counts"] = any(each.tables["images"]["n_true"].notna().any() for each in evaluations)
    panels = "".join(
        f'<figure class="panel">{figures[name]}<figcaption>{escape(caption)}</figcaption></figure>'
        for name, caption in captions.items()
        if known[name]
    )
    return f'<div class="pair">{panels}</div>\n' if panels else ""


def _scores(evaluations: Sequence[Evaluation]) -> str:
    """Return the table of all scores, two columns a prediction: mean of images, and pooled over objects."""
    rows = {
        (place, average): row_of(evaluation, "summary", average=average)
        for place, evaluation in enumerate(evaluations)
        for average in ("images", "objects")
    }
    head = "".join(
        f'<th class="number">{escape(f"{evaluations[place].name}: " if len(evaluations) > 1 else "")}'
        f"{'mean over images' if average == 'images' else 'pooled over objects'}</th>"
        for place, average in rows
    )
    tolerance = evaluations[0].options.tolerance_px
    lines = "".join(
        f"<tr><td>{name} <small>{escape(meaning.format(tolerance=tolerance))}</small></td>"
        + "".join(f'<td class="number">{number(row[key])}</td>' for row in rows.values())
        + "</tr>"
        for key, name, meaning in _SCORES
    )
    return (
        f'<h2>Scores</h2>\n<div class="scroll"><table><thead><tr><th></th>{head}</tr></thead><tbody>{lines}</tbody>'
        f"</table></div>\n{_count_table(evaluations)}"
    )


def _count_table(evaluations: Sequence[Evaluation]) -> str:
    lines = ""
    for evaluation in evaluations:
        for per, words in (
            ("image", "per image"),
            ("patch", f"per patch of {evaluation.options.patch_px} × {evaluation.options.patch_px} px"),
        ):
            row = row_of(evaluation, "counts", per=per)
            name = f"{evaluation.name}, {words}" if len(evaluations) > 1 else words
            cells = (
                f"{row['n']:,}",
                number(row["mae"]),
                "–" if is_missing(row["mape_percent"]) else f"{row['mape_percent']:.1f} %",
                signed(row["bias"]),
            )
            lines += (
                f"<tr><td>{escape(name)}</td>" + "".join(f'<td class="number">{cell}</td>' for cell in cells) + "</tr>"
            )
    head = "".join(
        f'<th class="number">{name}</th>' for name in ("number", "mean absolute error", "in percent", "bias")
    )
    return (
        f'<h2>Counts</h2>\n<div class="scroll"><table><thead><tr><th>Errors of counts</th>{head}</tr></thead>'
        f"<tbody>{lines}</tbody></table></div>\n"
    )


def _modalities(evaluation: Evaluation, several: bool) -> str:
    summary = evaluation.tables["summary"]
    rows = summary[(summary["average"] == "images") & (summary["modality"] != "all")]
    if rows.empty:
        return ""
    columns = (("n_images", "Images"), *_IMAGE_COLUMNS[2:4], *_IMAGE_COLUMNS[5:])
    named = f"By modality: {evaluation.name}" if several else "By modality"
    table = _table(rows, (("modality", "Modality, mean over images"), *columns), sortable=False)
    return f"<h2>{escape(named)}</h2>\n{table}"


def _worst(shown: Shown, several: bool) -> str:
    if not shown.pictures:
        return ""
    legend = "".join(
        f'<li><span style="border-color: {ERROR_COLOURS[kind]}"></span>{words}</li>' for kind, words in _LEGEND.items()
    )
    cards = "".join(_picture(picture) for picture in shown.pictures)
    named = f"Worst errors: {shown.evaluation.name}" if several else "Worst errors"
    return f'<h2>{escape(named)}</h2>\n<ul class="legend">{legend}</ul>\n<div class="worst">{cards}</div>\n'


def _picture(shown: ShownPicture) -> str:
    picture = shown.picture
    errors = escape(", ".join(f"{count} {kind}" for kind, count in picture.errors.items()) or "errors cut by its edge")
    heads = "".join(f"<span>{panel}</span>" for panel in picture.panels)
    return (
        f'<figure><div class="heads">{heads}</div><img alt="Worst part of {escape(picture.image)}: {errors}" '
        f'src="{shown.address}"><figcaption><strong>{escape(picture.image)}</strong> AP {picture.ap:.2f} · in this '
        f"part: {errors}</figcaption></figure>\n"
    )


def _images(evaluation: Evaluation, several: bool) -> str:
    images = evaluation.tables["images"].sort_values(["ap_50", "pixel_dice"], kind="stable")
    columns = [column for column in _IMAGE_COLUMNS if column[0] in ("image",) or _says_something(images[column[0]])]
    named = f"Images, the worst first: {evaluation.name}" if several else "Images, the worst first"
    more = f"<p>{_ROWS_SHOWN} of {len(images):,} images; images.csv has all.</p>" if len(images) > _ROWS_SHOWN else ""
    return f"<h2>{escape(named)}</h2>\n{_table(images.head(_ROWS_SHOWN), columns, sortable=True)}{more}"


def _says_something(column: pd.Series[Any]) -> bool:
    return bool((column.notna() & (column != "")).any())


def _table(rows: pd.DataFrame, columns: Iterable[tuple[str, str]], *, sortable: bool) -> str:
    columns = list(columns)
    head = "".join(
        f"<th{'' if _is_text(key) else ' class=number'}>"
        + (f'<button type="button">{name}</button>' if sortable else name)
        + "</th>"
        for key, name in columns
    )
    lines = "".join(
        "<tr>" + "".join(_cell(key, row[key]) for key, _ in columns) + "</tr>" for row in rows.to_dict("records")
    )
    kind = "dense sortable" if sortable else "dense"
    return (
        f'<div class="scroll"><table class="{kind}"><thead><tr>{head}</tr></thead>'
        f"<tbody>{lines}</tbody></table></div>\n"
    )


def _is_text(key: str) -> bool:
    return key in ("image", "modality")


def _cell(key: str, value: Any) -> str:
    if _is_text(key):
        return f"<td>{escape(str(value) or NOT_SAID)}</td>"
    order = "" if is_missing(value) else f' data-value="{float(value):.9g}"'
    shown = signed(value) if key == "count_error" else number(value)
    return f'<td class="number"{order}>{shown}</td>'


def _rules(evaluation: Evaluation) -> str:
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in rules(evaluation))
    return f'<h2>How this was computed</h2>\n<ul class="notes">{items}</ul>\n'
