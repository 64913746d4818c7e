"""What a network's maps say of the pieces that flows make: of each by itself, and of each two that touch.

Everything is a sum over pixels or over pixel edges, so that what holds for two pieces together follows from the sums
of both. Positions are counted from a piece's own first pixel: the numbers do not depend on where a tile begins.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from cellmetry.settings import current_settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "CONTACT_FEATURES",
    "PIECE_FEATURES",
    "Pieces",
    "add_piece",
    "contact_features",
    "measure_pieces",
    "piece_features",
]

PIECE_FEATURES = ("held", "excess", "foreground", "speed", "fill", "convergence")
"""Features of a piece: cells that it holds by the density, up to 1, and from 1 to 2; mean foreground and mean length of
the flow; logarithm, from -1.5, of its area over that of the ellipse with its second moments; how much of the flow
points to its middle, 1 for a disc whose flow does."""
CONTACT_FEATURES = (
    "divergence",
    "contact_foreground",
    "contact_length",
    "held_less",
    "held_more",
    "area_ratio",
    *(f"together_{name}" for name in PIECE_FEATURES),
    "convergence_gain",
)
"""Features of two pieces that touch: how far the flows on both sides point away from each other, and the foreground,
along the contact; logarithm of its length over the square root of the smaller area; cells that the emptier and the
fuller of the two hold; logarithm of the smaller area over the larger; features of both together; what is gained in
convergence by taking them together."""

_AREA, _Y, _X, _YY, _XX, _XY, _TOP, _LEFT = range(8)
_HELD, _FOREGROUND, _SPEED, _FLOW_Y, _FLOW_X, _INWARD = range(6)
_EDGES, _DIVERGENCE, _CONTACT_FOREGROUND = range(3)
_OWN = len(PIECE_FEATURES)
_CONVERGENCE = PIECE_FEATURES.index("convergence")
_MOST_EXCESS = 1.0
_LEAST_FILL = -1.5


class Pieces(NamedTuple):
    """Sums over the pixels of each id from 0, and over the pixel edges of each two ids that touch.

    Parameters
    ----------
    whole
        Area, sums of y, x, y², x², xy from the first pixel, and where that lies; int64 (ids, 8).
    real
        Sums of density, foreground, flow's length, flow y and x, and flow times position; float64 (ids, 6).
    pairs
        Ids that touch along pixel edges, the lower first, int64 (contacts, 2).
    contacts
        Number of pixel edges, sums of the flow's divergence and of the lower foreground; float64 (contacts, 3).
    """

    whole: NDArray[np.int64]
    real: NDArray[np.float64]
    pairs: NDArray[np.int64]
    contacts: NDArray[np.float64]


def measure_pieces(
    labels: NDArray[np.int32], foreground: NDArray[np.float32], flow: NDArray[np.float32], density: NDArray[np.float32]
) -> Pieces:
    """Return the sums for labels (Y, X), from a foreground and a density (Y, X) and a flow (2, Y, X).

    Flows count by their length up to 1; flows and densities that are not finite count as 0.
    """
    count = int(labels.max(initial=0)) + 1
    with ThreadPoolExecutor(min(current_settings().threads, 2)) as pool:
        pixels = pool.submit(_sum_pieces, labels, count, foreground, flow, density)
        edges = pool.submit(_sum_contacts, labels, count, foreground, flow)
    return Pieces(*pixels.result(), *edges.result())


@njit(cache=True, nogil=True)
def _unit(y: float, x: float) -> tuple[float, float, float]:  # pragma: no cover - compiled
    """Return the vector, shortened to a length of 1 where it is longer, and its length."""
    if not (np.isfinite(y) and np.isfinite(x)):
        return 0.0, 0.0, 0.0
    length = np.sqrt(y * y + x * x)
    if length > 1:
        return y / length, x / length, 1.0
    return y, x, length


@njit(cache=True, nogil=True)
def _sum_pieces(
    labels: NDArray[np.int32],
    count: int,
    foreground: NDArray[np.float32],
    flow: NDArray[np.float32],
    density: NDArray[np.float32],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:  # pragma: no cover - compiled
    whole, real = np.zeros((count, 8), np.int64), np.zeros((count, 6))
    for row in range(labels.shape[0]):
        for column in range(labels.shape[1]):
            piece = labels[row, column]
            if not piece:
                continue
            w, r = whole[piece], real[piece]
            if not w[_AREA]:
                w[_TOP], w[_LEFT] = row, column
            y, x = row - w[_TOP], column - w[_LEFT]
            w[_AREA] += 1
            w[_Y] += y
            w[_X] += x
            w[_YY] += y * y
            w[_XX] += x * x
            w[_XY] += y * x
            flow_y, flow_x, length = _unit(float(flow[0, row, column]), float(flow[1, row, column]))
            if np.isfinite(density[row, column]):
                r[_HELD] += density[row, column]
            r[_FOREGROUND] += foreground[row, column]
            r[_SPEED] += length
            r[_FLOW_Y] += flow_y
            r[_FLOW_X] += flow_x
            r[_INWARD] += flow_y * y + flow_x * x
    return whole, real


@njit(cache=True, nogil=True)
def _sum_contacts(
    labels: NDArray[np.int32], count: int, foreground: NDArray[np.float32], flow: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:  # pragma: no cover - compiled
    """Return pairs and sums; `first[id]` and `after[contact]` chain the contacts of each lower id."""
    height, width = labels.shape
    first, after = np.full(count, -1, np.int64), np.full(64, -1, np.int64)
    pairs, contacts = np.zeros((64, 2), np.int64), np.zeros((64, 3))
    found = 0
    for row in range(height):
        for column in range(width):
            here = labels[row, column]
            below = labels[row + 1, column] if row + 1 < height else here
            right = labels[row, column + 1] if column + 1 < width else here
            if not here or (below == here and right == here):
                continue
            for axis, there in enumerate((below, right)):
                if not there or there == here:
                    continue
                low, high = min(here, there), max(here, there)
                contact = first[low]
                while contact >= 0 and pairs[contact, 1] != high:
                    contact = after[contact]
                if contact < 0:
                    if found == len(pairs):
                        pairs = np.concatenate((pairs, np.zeros_like(pairs)))
                        contacts = np.concatenate((contacts, np.zeros_like(contacts)))
                        after = np.concatenate((after, np.full_like(after, -1)))
                    contact, found = found, found + 1
                    pairs[contact] = low, high
                    after[contact], first[low] = first[low], contact
                before = _unit(float(flow[0, row, column]), float(flow[1, row, column]))
                y, x = row + 1 - axis, column + axis
                beyond = _unit(float(flow[0, y, x]), float(flow[1, y, x]))
                contacts[contact, _EDGES] += 1
                contacts[contact, _DIVERGENCE] += beyond[axis] - before[axis]
                contacts[contact, _CONTACT_FOREGROUND] += min(foreground[row, column], foreground[y, x])
    return pairs[:found], contacts[:found]


@njit(cache=True, nogil=True)
def add_piece(
    whole: NDArray[np.int64], real: NDArray[np.float64], more_whole: NDArray[np.int64], more_real: NDArray[np.float64]
) -> None:  # pragma: no cover - compiled
    """Add the sums of another piece, rows of `Pieces`, to those of one."""
    down, right = more_whole[_TOP] - whole[_TOP], more_whole[_LEFT] - whole[_LEFT]
    area, y, x = more_whole[_AREA], more_whole[_Y], more_whole[_X]
    whole[_AREA] += area
    whole[_Y] += y + area * down
    whole[_X] += x + area * right
    whole[_YY] += more_whole[_YY] + 2 * down * y + area * down * down
    whole[_XX] += more_whole[_XX] + 2 * right * x + area * right * right
    whole[_XY] += more_whole[_XY] + down * x + right * y + area * down * right
    inward = more_real[_INWARD] + down * more_real[_FLOW_Y] + right * more_real[_FLOW_X]
    real[:_INWARD] += more_real[:_INWARD]
    real[_INWARD] += inward


@njit(cache=True, nogil=True)
def piece_features(
    whole: NDArray[np.int64], real: NDArray[np.float64]
) -> NDArray[np.float64]:  # pragma: no cover - compiled
    """Return the features of a piece by its sums, float64, in the order of `PIECE_FEATURES`."""
    area = float(whole[_AREA])
    y, x = whole[_Y] / area, whole[_X] / area
    var_y = whole[_YY] / area - y * y + 1 / 12
    var_x = whole[_XX] / area - x * x + 1 / 12
    var_xy = whole[_XY] / area - y * x
    spread = np.sqrt(var_y * var_x - var_xy * var_xy)
    out = np.empty(_OWN)
    out[0] = min(real[_HELD], 1.0)
    out[1] = min(max(real[_HELD] - 1.0, 0.0), _MOST_EXCESS)
    out[2] = real[_FOREGROUND] / area
    out[3] = real[_SPEED] / area
    out[4] = max(np.log(area / (4 * np.pi * spread)), _LEAST_FILL)
    inward = y * real[_FLOW_Y] + x * real[_FLOW_X] - real[_INWARD]
    out[5] = inward / (area * np.sqrt(area / np.pi) * 2 / 3)
    return out


@njit(cache=True, nogil=True)
def contact_features(
    contact: NDArray[np.float64],
    whole: tuple[NDArray[np.int64], NDArray[np.int64]],
    real: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> NDArray[np.float64]:  # pragma: no cover - compiled
    """Return the features of two pieces that touch, float64, in the order of `CONTACT_FEATURES`.

    Parameters
    ----------
    contact
        A row of `Pieces.contacts`.
    whole, real
        The rows of `Pieces.whole` and `Pieces.real` of both pieces, that with the lower id first.
    """
    areas = float(whole[0][_AREA]), float(whole[1][_AREA])
    convergences = piece_features(whole[0], real[0])[_CONVERGENCE], piece_features(whole[1], real[1])[_CONVERGENCE]
    apart = (convergences[0] * areas[0] + convergences[1] * areas[1]) / (areas[0] + areas[1])
    together_whole, together_real = whole[0].copy(), real[0].copy()
    add_piece(together_whole, together_real, whole[1], real[1])
    together = piece_features(together_whole, together_real)
    out = np.empty(6 + _OWN + 1)
    out[0] = contact[_DIVERGENCE] / contact[_EDGES]
    out[1] = contact[_CONTACT_FOREGROUND] / contact[_EDGES]
    out[2] = np.log(contact[_EDGES] / np.sqrt(min(areas)))
    out[3] = min(real[0][_HELD], real[1][_HELD])
    out[4] = max(real[0][_HELD], real[1][_HELD])
    out[5] = np.log(min(areas) / max(areas))
    out[6 : 6 + _OWN] = together
    out[6 + _OWN] = together[_CONVERGENCE] - apart
    return out
