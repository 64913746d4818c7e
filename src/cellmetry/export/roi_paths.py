"""The path of an ImageJ composite ROI: numbers that say move, line, curve and close, to rings."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["path_rings"]

_MOVE, _LINE, _QUADRATIC, _CUBIC, _CLOSE = range(5)
_NUMBERS = {_MOVE: 2, _LINE: 2, _QUADRATIC: 4, _CUBIC: 6, _CLOSE: 0}
_FLATNESS = 0.01
_MOST_CHORDS = 1000


def path_rings(path: NDArray[Any]) -> tuple[NDArray[np.float64], ...]:
    """Return the rings (n, 2) of a path; curves (Bézier) become chords within a hundredth of a pixel.

    The codes are those of Java's ``java.awt.geom.PathIterator``: 0 move, 1 line, 2 quadratic and 3
    cubic curve, 4 close.

    Raises
    ------
    ValueError
        If a code is another, numbers are missing or not finite, or a line begins nowhere.
    """
    if not np.isfinite(path).all():
        raise ValueError("a composite ROI has a coordinate that is not a number.")
    points, places, plain = _straight(np.asarray(path, np.float64))
    if plain:
        return tuple(points[first:last] for first, last in pairwise(places.tolist()) if last - first > 2)
    return _with_curves(np.asarray(path, np.float64).tolist())


@njit(cache=True, nogil=True)
def _straight(path: Any) -> Any:
    """Return the points of a path, where each ring begins, and whether it is a right one without curves."""
    points, places = np.empty((path.size // 3 + 1, 2), np.float64), [0]
    count, place = 0, 0
    while place < path.size:
        code = path[place]
        if code == 4 and count:
            place += 1
            continue
        if code not in (0, 1) or place + 2 >= path.size or (code == 1 and count == 0):
            return points, np.array(places), False
        if code == 0 and count:
            places.append(count)
        points[count, 0], points[count, 1] = path[place + 1], path[place + 2]
        count += 1
        place += 3
    places.append(count)
    return points, np.array(places), True


def _with_curves(numbers: list[float]) -> tuple[NDArray[np.float64], ...]:
    rings: list[list[tuple[float, float]]] = []
    place = 0
    while place < len(numbers):
        code = numbers[place]
        given = _NUMBERS.get(int(code), -1)
        values = numbers[place + 1 : place + 1 + max(given, 0)]
        if code != int(code) or len(values) != given or (code != _MOVE and not rings):
            raise ValueError(f"a composite ROI has the code {code:g} where none such may be.")
        if code == _MOVE:
            rings.append([(values[0], values[1])])
        elif code == _LINE:
            rings[-1].append((values[0], values[1]))
        elif code != _CLOSE:
            rings[-1].extend(_curve([rings[-1][-1], *zip(values[::2], values[1::2], strict=True)]))
        place += 1 + given
    return tuple(np.array(ring, np.float64) for ring in rings if len(ring) > 2)


def _curve(control: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return points along a Bézier curve after its first, as many as its bend needs."""
    points = np.array(control, np.float64)
    bend = float(np.abs(np.diff(points, 2, axis=0)).max())
    count = min(_MOST_CHORDS, 1 + int(np.ceil(np.sqrt(bend / _FLATNESS))))
    along = np.linspace(0, 1, count + 1)[1:, None]
    level = [np.broadcast_to(point, (count, 2)) for point in points]
    while len(level) > 1:  # de Casteljau
        level = [(1 - along) * a + along * b for a, b in pairwise(level)]
    return [(x, y) for x, y in level[0].tolist()]
