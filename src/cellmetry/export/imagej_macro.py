"""An ImageJ macro that measures the outlines of a study again, so that a Fiji user can check Cellmetry's numbers."""

from __future__ import annotations

import csv
import io
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cellmetry.core.image import UNKNOWN_PIXEL_SIZE, PixelSize
from cellmetry.errors import ParameterError
from cellmetry.io.tables import formula_safe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cellmetry.ops.rolling_ball import RollingBall

__all__ = ["MEASURES", "MacroImage", "background_options", "imagej_macro", "macro_string"]

MEASURES = ("Area", "Mean", "Min", "Max", "IntDen", "RawIntDen")
"""What ImageJ measures where area, mean, min and integrated density are set, by its names."""

_CODE = "imagej_macro.ijm"
_HEAD = """// Measures the outlines that Cellmetry found on the images in which it found them, by ImageJ alone.
// Run it in Fiji by Plugins > Macros > Run...; it writes {out} beside itself, and says in the log how far the numbers
// are from Cellmetry's in {ours}. Images, outlines and this file belong in the same folder.
requires("1.53d");

// What is measured.
"""
_LINE_ENDS = {"\r", "\n", "\u2028", "\u2029"}


class MacroImage(NamedTuple):
    """One image that the macro measures.

    Parameters
    ----------
    name
        As in Cellmetry's tables.
    image_file, roi_file
        Relative to the macro's folder, with ``/`` between folders.
    shape
        Height and width in pixels.
    n_objects
        How many outlines the ROI file holds; 1 or more.
    channel, channels
        Which channel is measured, from 1, and how many the file has.
    pixel_size
        In µm; areas are in pixels where it is not known.
    """

    name: str
    image_file: str
    roi_file: str
    shape: tuple[int, int]
    n_objects: int
    channel: int = 1
    channels: int = 1
    pixel_size: PixelSize = UNKNOWN_PIXEL_SIZE


def imagej_macro(
    images: Sequence[MacroImage],
    background: RollingBall | None = None,
    *,
    out: str = "fiji.csv",
    ours: str = "ours.csv",
) -> str:
    """Return the text of a macro, all ASCII, that measures area, mean, min, max and integrated density.

    It sets the pixel size as Cellmetry knows it, so that areas are in its units, writes `out` and tells how far the
    numbers are from `ours`. Settings and Results table of the user stay as they were; a ROI manager that holds outlines
    is refused. ImageJ has no ROI manager without a screen; Fiji has.

    Parameters
    ----------
    background
        What is subtracted before: ImageJ's Subtract Background with the same options.
    out
        CSV that the macro writes, relative to its folder.
    ours
        CSV of Cellmetry's numbers in the same rows and columns, with which the macro compares where it is there.

    Raises
    ------
    ParameterError
        If there are no images, one has no outlines, a channel is not there, or the background is not ImageJ's.
    """
    _check(images)
    entries: dict[str, Sequence[str | float]] = {
        "imageFiles": [each.image_file for each in images],
        "roiFiles": [each.roi_file for each in images],
        "csvNames": [_csv_field(each.name) for each in images],
        "widths": [each.shape[1] for each in images],
        "heights": [each.shape[0] for each in images],
        "counts": [each.n_objects for each in images],
        "channels": [each.channel for each in images],
        "planes": [each.channels for each in images],
        "pixelWidths": [each.pixel_size.x or 1 if each.pixel_size.known else 1 for each in images],
        "pixelHeights": [each.pixel_size.y or 1 if each.pixel_size.known else 1 for each in images],
        "units": ["um" if each.pixel_size.known else "pixel" for each in images],
        "measures": list(MEASURES),
    }
    texts = {"background": background_options(background), "resultFile": out, "oursFile": ours}
    arrays = "".join(f"var {name} = {_array(values)};\n" for name, values in entries.items())
    single = "".join(f"var {name} = {macro_string(text)};\n" for name, text in texts.items())
    code = files("cellmetry.export").joinpath(_CODE).read_text("utf-8").replace("\r\n", "\n")
    return _HEAD.format(out=_comment(out), ours=_comment(ours)) + arrays + single + code


def background_options(step: RollingBall | None) -> str:
    """Return the options of ImageJ's Subtract Background that do what a step does; empty for no step.

    Raises
    ------
    ParameterError
        If the step is scikit-image's, which ImageJ cannot do.
    """
    if step is None:
        return ""
    if step.variant != "imagej":
        raise ParameterError(
            f"The rolling ball {step.variant} is scikit-image's, which ImageJ cannot do; use the variant imagej."
        )
    words = {
        "light": step.light_background,
        "create": step.create_background,
        "sliding": step.sliding_paraboloid,
        "disable": step.smooth is False,
    }
    return " ".join([f"rolling={_value(step.radius_px)}", *(word for word, said in words.items() if said)])


def macro_string(text: str) -> str:
    """Return text as an expression of ImageJ's macro language, all ASCII; no character in it is read as code.

    Characters other than plain ones are given by their number, since how a macro is decoded depends on the machine.

    Raises
    ------
    ParameterError
        If it has a NUL, which ends a name for the system.
    """
    if "\0" in text:
        raise ParameterError(f"The name {text!r} has a NUL character; rename the image.")
    pieces: list[str] = []
    plain: Callable[[int], bool] = lambda unit: 0x20 <= unit < 0x7F and chr(unit) not in '"\\`'  # noqa: E731
    run, units = "", memoryview(text.encode("utf-16-le", "surrogatepass")).cast("H")
    for unit in units:
        if plain(unit):
            run += chr(unit)
            continue
        pieces += [f'"{run}"'] if run or not pieces else []
        pieces.append(f"fromCharCode({unit})")
        run = ""
    pieces += [f'"{run}"'] if run or not pieces else []
    return " + ".join(pieces)


def _check(images: Sequence[MacroImage]) -> None:
    if not images:
        raise ParameterError("A macro needs at least one image with outlines.")
    for each in images:
        if each.n_objects < 1:
            raise ParameterError(f"{each.name} has no outlines, so there is nothing to measure; leave it out.")
        if not 1 <= each.channel <= each.channels:
            raise ParameterError(f"{each.name} has {each.channels} channels, no channel {each.channel}.")
        if "\n" in each.name or "\r" in each.name:
            raise ParameterError(f"The name {each.name!r} has a line end; rename the image.")


def _csv_field(name: str) -> str:
    r"""Return a name as it stands in a CSV; what is not ASCII, which Java might spoil, as ``\u`` and its number."""
    line = io.StringIO()
    plain = formula_safe(name).encode("ascii", "backslashreplace").decode("ascii")
    csv.writer(line, lineterminator="").writerow([plain])
    return line.getvalue()


def _comment(name: str) -> str:
    """Return a name as it may stand in a comment of one line."""
    return "".join("?" if each in _LINE_ENDS or not each.isascii() else each for each in name)


def _array(values: Sequence[str | float]) -> str:
    """Return an array; of numbers with a 0 behind them, since ``newArray(5)`` has five elements."""
    ends = [] if isinstance(values[0], str) else ["0"]
    return f"newArray({', '.join([*map(_value, values), *ends])})"


def _value(value: str | float) -> str:
    return macro_string(value) if isinstance(value, str) else np.format_float_positional(value, trim="-")
