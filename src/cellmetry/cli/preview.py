"""`cellmetry recipe preview`: what each step of a recipe does to the pixels of one image."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated

import typer

from cellmetry.cli.options import (
    Axes,
    Json,
    Out,
    Pattern,
    PixelSize,
    PixelSizeZ,
    Rgb,
    RgbChoice,
    Roles,
    Settings,
    reading_of,
)
from cellmetry.cli.progress import terminal_progress
from cellmetry.core.image import Box
from cellmetry.errors import ParameterError
from cellmetry.io.atomic import atomic_write
from cellmetry.pipeline.inputs import find_images
from cellmetry.pipeline.preview import View, Walked, walk_recipe, whole_view
from cellmetry.pipeline.recipe import load_recipe
from cellmetry.report.figures import figure_png
from cellmetry.report.preview import PreviewedStep, draw_change, preview_page

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["preview"]

_CROP = re.compile(r"(?P<y>\d+),(?P<x>\d+),(?P<size>\d+)")
_DPI = 130


def preview(
    recipe: Annotated[str, typer.Argument(help="Recipe file (.toml), or the name of a shipped one.")],
    image: Annotated[
        str, typer.Argument(help="Image to try it on; file.czi#3 for one scene; the first of a folder or pattern.")
    ],
    out: Out,
    settings: Settings = None,
    crop: Annotated[
        str | None, typer.Option(help="Square to show, as y,x,size in pixels; steps work on the whole image.")
    ] = None,
    t: Annotated[int, typer.Option("--t", help="Frame to show.")] = 0,
    z: Annotated[int | None, typer.Option("--z", help="Z plane to show; the middle one if left out.")] = None,
    pixel_size: PixelSize = None,
    pixel_size_z: PixelSizeZ = None,
    axes: Axes = None,
    rgb: Rgb = RgbChoice.colour,
    pattern: Pattern = None,
    roles: Roles = None,
    as_json: Json = False,
) -> None:
    """Show one image before and after each step that changes its pixels: pictures, and index.html with all of them.

    Example: [bold]cellmetry recipe preview mine.toml field.tif --out preview/[/bold]
    """
    loaded = load_recipe(recipe, settings or ())
    loaded.files_read()
    reading = reading_of(
        axes=axes,
        rgb=rgb,
        pixel_size_um=pixel_size,
        pixel_size_z_um=pixel_size_z,
        pattern=pattern,
        roles=roles,
    )
    found = find_images([image], reading, out).images
    opened = found[0].open()
    view = whole_view(opened, crop=None if crop is None else _parse_crop(crop), t=t, z=z)
    with terminal_progress(shown=not as_json) as progress:
        steps = [_write_step(walked, view, out) for walked in walk_recipe(loaded, opened, view, progress)]
    shown = f"Rows {view.box.y0} to {view.box.y1 - 1}, columns {view.box.x0} to {view.box.x1 - 1}"
    shown += f", frame {view.t}, Z plane {view.z}. Each step worked on the whole image."
    shown += f" It is the first of {len(found)} images." if len(found) > 1 else ""
    with atomic_write(out / "index.html") as temporary:
        temporary.write_text(preview_page(loaded.name, opened.name, shown, steps), encoding="utf-8", newline="\n")
    written = [file for step in steps for file in step.pictures.values()]
    if as_json:
        typer.echo(json.dumps({"out": str(out), "pictures": written, "steps": [step._asdict() for step in steps]}))
        return
    if len(found) > 1:
        typer.echo(f"{opened.name}, the first of {len(found)} images:")
    for step in steps:
        typer.echo(f"{step.title}: {', '.join(step.pictures.values()) or step.note}")
        for sentence in step.warnings:
            typer.secho(f"warning: {sentence}", fg="yellow", err=True)
    typer.echo(f"Results: {out / 'index.html'}")


def _parse_crop(text: str) -> Box:
    match = _CROP.fullmatch(text.replace(" ", ""))
    if match is None or int(match["size"]) == 0:
        raise ParameterError(f"--crop {text!r} is not of the form y,x,size in pixels, as in 512,300,256.")
    y, x, size = (int(match[name]) for name in ("y", "x", "size"))
    return Box(y, y + size, x, x + size)


def _write_step(walked: Walked, view: View, out: Path) -> PreviewedStep:
    """Return what is shown of a step, after writing a picture of each channel that it changed."""
    given = ", ".join(f"{name} = {_short(value)}" for name, value in walked.parameters.items())
    title = f"{walked.number} {walked.step.name}" + (f": {given}" if given else "")
    pictures = {}
    for change in walked.changes:
        tail = f"_{_safe(change.channel)}" if len(walked.changes) > 1 else ""
        file = f"{walked.number:02d}_{walked.step.name}{tail}.png"
        drawn = draw_change(change.before, change.after, view.box, f"{title}\nchannel {change.channel}")
        with atomic_write(out / file) as temporary:
            temporary.write_bytes(figure_png(drawn, dpi=_DPI))
        pictures[change.channel] = file
    note = "" if pictures else "changed no pixel here"
    if walked.resized:
        note = "made an image of another size, so there is no before and after"
    return PreviewedStep(title, pictures, note, walked.warnings)


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _safe(channel: str) -> str:
    return re.sub(r"[^\w.-]", "_", channel) or "channel"
