"""Which axis of a stored array means what; anything doubtful is asked about, never guessed."""

from __future__ import annotations

from itertools import combinations, islice
from typing import TYPE_CHECKING

from cellmetry.core.image import AXES
from cellmetry.errors import AxesError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["resolve_axes"]

_MEANT = {*AXES, "S"}
_LEADING = "TCZ"
_WORDS = {"Z": "depth", "T": "time", "C": "channels"}


def resolve_axes(stored: str, shape: tuple[int, ...], wanted: str | None, name: str) -> str:
    """Return one letter per stored axis: T, C, Z, Y, X, S (colour samples), or ``1`` for an axis to leave out.

    Parameters
    ----------
    stored
        The file's own letters; other letters than those above are axes of unknown meaning.
    wanted
        What the user says, which wins: one letter for every axis of `shape`, of which axes of length 1
        and colour samples at the end may be left out.

    Raises
    ------
    AxesError
        If the file leaves the meaning of an axis open and `wanted` is None, or `wanted` does not fit.
    """
    if wanted is not None:
        return _given(stored, shape, wanted.upper(), name)
    letters = "".join(
        "1" if size == 1 and letter not in "YXS" else letter for letter, size in zip(stored, shape, strict=True)
    )
    named = letters.replace("1", "")
    if set(named) <= _MEANT and len(set(named)) == len(named) and {"Y", "X"} <= set(named):
        return letters
    raise AxesError(
        f"{name} has shape {_text(shape)} and does not say what {_open_axes(letters, shape)}; "
        f"name the axes with --axes: {_choices(letters, shape)}."
    )


def _given(stored: str, shape: tuple[int, ...], wanted: str, name: str) -> str:
    fitting = next(_layouts(stored, shape, wanted), None)
    sound = set(wanted) <= _MEANT and len(set(wanted)) == len(wanted) and {"Y", "X"} <= set(wanted)
    if fitting is None or not sound:
        raise AxesError(
            f"Axes {wanted!r} do not fit {name} of shape {_text(shape)}; give one letter of TCZYX for each axis, "
            f"with Y and X, for example {_choices(_without_ones(stored, shape), shape)}."
        )
    for axis in "YX":
        if axis in stored and fitting.index(axis) != stored.index(axis):
            raise AxesError(
                f"Axes {wanted!r} do not fit {name}: its planes are stored as {stored[-2:]}, so only the axes "
                f"before them can be named, for example {_choices(_without_ones(stored, shape), shape)}."
            )
    return fitting


def _layouts(stored: str, shape: tuple[int, ...], wanted: str) -> Iterator[str]:
    """Yield the ways in which `wanted` can be laid over `shape`, the most literal first."""
    if len(wanted) == len(shape):
        yield wanted
    if stored.endswith("S") and len(wanted) == len(shape) - 1 and "S" not in wanted:
        yield wanted + "S"
    free = [index for index, size in enumerate(shape) if size != 1 or stored[index] in "YX"]
    for tail in ("", "S") if stored.endswith("S") else ("",):
        if len(wanted + tail) == len(free):
            letters = ["1"] * len(shape)
            for index, letter in zip(free, wanted + tail, strict=True):
                letters[index] = letter
            yield "".join(letters)


def _without_ones(stored: str, shape: tuple[int, ...]) -> str:
    return "".join(
        "1" if size == 1 and letter not in "YXS" else letter for letter, size in zip(stored, shape, strict=True)
    )


def _open_axes(letters: str, shape: tuple[int, ...]) -> str:
    lengths = [
        size for letter, size in zip(letters, shape, strict=True) if letter != "1" and letters.count(letter) > 1
    ] or [size for letter, size in zip(letters, shape, strict=True) if letter not in _MEANT | {"1"}]
    if len(lengths) == 1:
        return f"its axis of length {lengths[0]} means"
    return f"its axes of lengths {', '.join(map(str, lengths))} mean"


def _choices(letters: str, shape: tuple[int, ...]) -> str:
    """Return likely values of ``--axes`` for an array, most likely first."""
    sizes = [size for letter, size in zip(letters, shape, strict=True) if letter != "1"]
    tail = "S" if letters.endswith("S") else ""
    n_leading = max(len(sizes) - 2 - len(tail), 0)
    options = ["".join(part) + "YX" + tail for part in combinations(_LEADING, n_leading)]
    if n_leading == 1:
        options = [f"{axis}YX{tail} ({_WORDS[axis]})" for axis in "ZTC"]
        if not tail and sizes[-1] <= 4 < sizes[0]:
            options.insert(0, "YXS (colour picture)")
    return ", ".join(islice(options, 4)) or "TCZYX"


def _text(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))
