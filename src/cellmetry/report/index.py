"""The page that opens a run: what was done, what needs a look, every image with its overlay. Plain HTML, no scripts."""

from __future__ import annotations

import math
from html import escape
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

import numpy as np
import pandas as pd
from PIL import Image as Picture

from cellmetry.io.atomic import atomic_write
from cellmetry.io.pictures import write_thumbnail
from cellmetry.report.page import make_page

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["thumbnail_path", "write_index"]

_LINKS = (("recipe.toml", "recipe"), ("run.json", "record of the run"))
_DONE = "done"
_FOOTER = "Made by Cellmetry. Click a picture for the overlay in full size."


class _Entry(NamedTuple):
    """One image of the run, ready to be shown."""

    name: str
    status: str
    reason: str
    cells: int | None
    seconds: float | None
    warnings: tuple[str, ...]
    overlay: str | None

    @property
    def failed(self) -> bool:
        return self.status != _DONE


def write_index(folder: str | Path, title: str, images: pd.DataFrame, notes: Sequence[str] = ()) -> Path:
    """Return the path of ``index.html`` in the folder of a run after writing it.

    Parameters
    ----------
    images
        One row per image: ``image`` (its name), ``status`` (``done`` or anything else), ``reason``, ``n_cells``,
        ``seconds``, ``warnings`` (sentences, or one string with a sentence a line) and ``overlay`` (path below
        `folder`). Missing values are allowed everywhere but in ``image`` and ``status``.
    notes
        Sentences about the run as a whole.

    Notes
    -----
    Thumbnails that are not there yet are made beside the overlays (`thumbnail_path`). The page links to the tables,
    the recipe and ``run.json`` if they are there. All text is escaped; the page forbids scripts.
    """
    folder = Path(folder)
    entries = [_entry(row) for row in images.to_dict("records")]
    body = "".join(
        (
            _head(folder, title),
            _figures(entries),
            _list("notes", notes),
            _chart(entries),
            _problems(entries),
            _gallery(folder, entries),
        )
    )
    target = folder / "index.html"
    with atomic_write(target) as temporary:
        temporary.write_text(make_page(title, body, _FOOTER), encoding="utf-8", newline="\n")
    return target


def thumbnail_path(overlay: PurePosixPath) -> PurePosixPath:
    """Return where the thumbnail of an overlay lies: ``overlays/a_overlay.png`` → ``overlays/a_thumbnail.png``."""
    return overlay.with_name(f"{overlay.stem.removesuffix('_overlay')}_thumbnail.png")


def _entry(row: dict[Any, Any]) -> _Entry:
    def known(name: str) -> Any:
        value = row.get(name)
        missing = value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))
        return None if missing else value

    cells, warnings, overlay = known("n_cells"), known("warnings"), known("overlay")
    return _Entry(
        name=str(row["image"]),
        status=str(row["status"]),
        reason=str(known("reason") or ""),
        cells=None if cells is None else int(cells),
        seconds=known("seconds"),
        warnings=tuple(warnings.splitlines() if isinstance(warnings, str) else map(str, warnings or ())),
        overlay=str(overlay) if overlay else None,
    )


def _head(folder: Path, title: str) -> str:
    tables = sorted([*folder.glob("tables/*.csv"), *folder.glob("tables/*.parquet")])
    shown = [(f"tables/{path.name}", path.name) for path in tables if not path.stem.endswith("_columns")]
    shown += [(path, text) for path, text in _LINKS if (folder / path).is_file()]
    links = "".join(f'<li><a href="{quote(path)}">{escape(text)}</a></li>' for path, text in shown)
    return f'<header><h1>{escape(title)}</h1><ul class="links">{links}</ul></header>\n'


def _figures(entries: Sequence[_Entry]) -> str:
    done = [entry for entry in entries if not entry.failed]
    counts = [entry.cells for entry in done if entry.cells is not None]
    failed, warned = len(entries) - len(done), sum(bool(entry.warnings) for entry in done)
    seconds = sum(entry.seconds or 0.0 for entry in entries)
    shown = [
        ("Images", f"{len(entries):,}", ""),
        ("Cells", f"{sum(counts):,}", ""),
        ("Cells per image, median", f"{np.median(counts):,.4g}" if counts else "–", ""),
        ("Failed", f"{failed:,}", "bad" if failed else ""),
        ("With warnings", f"{warned:,}", "warn" if warned else ""),
        ("Computing time", _duration(seconds), ""),
    ]
    tiles = "".join(f'<div><dt>{name}</dt><dd class="{mark}">{value}</dd></div>' for name, value, mark in shown)
    return f'<dl class="figures">{tiles}</dl>\n'


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def _list(kind: str, sentences: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f'<ul class="{kind}">{items}</ul>\n' if items else ""


def _chart(entries: Sequence[_Entry]) -> str:
    """Return a bar for each image, as high as its number of cells."""
    counted = [(entry.name, entry.cells) for entry in entries if entry.cells is not None]
    top = max((cells for _, cells in counted), default=0)
    if len(counted) < 2 or top == 0:
        return ""
    bars = "".join(
        f'<rect x="{place + 0.08:g}" y="{100 - 100 * cells / top:.3f}" width="0.84" height="{100 * cells / top:.3f}">'
        f"<title>{escape(name)}: {cells:,} cells</title></rect>"
        for place, (name, cells) in enumerate(counted)
    )
    first, last = escape(counted[0][0]), escape(counted[-1][0])
    return (
        f'<h2>Cells in each image</h2>\n<div class="chart"><svg viewBox="0 0 {len(counted)} 100" '
        f'preserveAspectRatio="none" role="img" aria-label="Cells in each image, at most {top:,}">{bars}</svg>'
        f"<p><span>{first}</span><span>highest: {top:,}</span><span>{last}</span></p></div>\n"
    )


def _problems(entries: Sequence[_Entry]) -> str:
    items = [
        f'<li class="failed"><b>{escape(entry.name)}</b> {escape(entry.status)}<span>{escape(entry.reason)}</span></li>'
        for entry in entries
        if entry.failed
    ]
    items += [
        f'<li class="warned"><b>{escape(entry.name)}</b>'
        + "".join(f"<span>{escape(sentence)}</span>" for sentence in entry.warnings)
        + "</li>"
        for entry in entries
        if entry.warnings and not entry.failed
    ]
    return f'<h2>Needs a look</h2>\n<ul class="problems">{"".join(items)}</ul>\n' if items else ""


def _gallery(folder: Path, entries: Sequence[_Entry]) -> str:
    cards = "".join(_card(folder, entry) for entry in entries)
    return f'<h2>Images</h2>\n<div class="gallery">{cards}</div>\n' if cards else "<p>No images.</p>\n"


def _card(folder: Path, entry: _Entry) -> str:
    return (
        f'<div class="card">{_view(folder, entry)}<p><strong>{escape(entry.name)}</strong>{_caption(entry)}</p></div>\n'
    )


def _view(folder: Path, entry: _Entry) -> str:
    if entry.overlay is None or not (folder / entry.overlay).is_file():
        return '<div class="view none">no picture</div>'
    overlay = PurePosixPath(Path(entry.overlay).as_posix())
    thumbnail = thumbnail_path(overlay)
    if not _is_newer(folder / thumbnail, folder / overlay):
        with Picture.open(folder / overlay) as picture:
            write_thumbnail(np.asarray(picture.convert("RGB")), folder / thumbnail)
    return (
        f'<a class="view" href="{quote(str(overlay))}"><img loading="lazy" src="{quote(str(thumbnail))}" '
        f'alt="Overlay of {escape(entry.name)}"></a>'
    )


def _is_newer(made: Path, source: Path) -> bool:
    return made.is_file() and made.stat().st_mtime_ns >= source.stat().st_mtime_ns


def _caption(entry: _Entry) -> str:
    if entry.failed:
        return f'<small class="bad">{escape(entry.status)}</small>'
    cells = "" if entry.cells is None else f"{entry.cells:,} cell{'' if entry.cells == 1 else 's'}"
    seconds = "" if entry.seconds is None else _duration(entry.seconds)
    warned = f'<br><small class="warn">{_warned(len(entry.warnings))}</small>' if entry.warnings else ""
    return f"<small>{' · '.join(part for part in (cells, seconds) if part)}</small>{warned}"


def _warned(count: int) -> str:
    return f"{count} warning{'' if count == 1 else 's'}"
