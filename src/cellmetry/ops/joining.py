"""Pieces of one cell put together again, and what is no cell left out, by what the network's maps say of them.

Flows err towards too many pieces: a second sink in a long or large cell makes two of it, and debris has a sink of its
own. Two logistic regressions, fitted on pieces whose truth is known, tell how likely two pieces that touch are one
cell, and how likely what results is a cell (see `cellmetry.ops.pieces` for what they look at). The likeliest two are
joined first, again and again, as in agglomerative segmentation (Nunez-Iglesias et al. 2013,
doi:10.1371/journal.pone.0071715).
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit
from pydantic import Field

from cellmetry.core.step import Parameters
from cellmetry.errors import ParameterError
from cellmetry.ops.pieces import (
    CONTACT_FEATURES,
    PIECE_FEATURES,
    Pieces,
    add_piece,
    contact_features,
    measure_pieces,
    piece_features,
)
from cellmetry.ops.tiles import CLOSED, Sides, touches_sides

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "ContactWeights",
    "Joining",
    "PieceWeights",
    "join_measured",
    "join_pieces",
    "keep_chances",
]


class ContactWeights(Parameters):
    """Logit that two pieces that touch are one cell: the sum of weights times features (see `CONTACT_FEATURES`).

    The weights here were fitted (`cellmetry.learn.joining`) on maps of a model `base` for images that taught it.
    """

    always: float = -0.135
    """Times 1."""
    divergence: float = -1.31
    contact_foreground: float = 2.13
    contact_length: float = 0.385
    held_less: float = 0.211
    held_more: float = -0.680
    area_ratio: float = -0.213
    together_held: float = -0.955
    together_excess: float = -0.361
    together_foreground: float = -1.13
    together_speed: float = 1.75
    together_fill: float = 0.402
    together_convergence: float = -0.811
    convergence_gain: float = 8.16


class PieceWeights(Parameters):
    """Logit that a piece is a cell: the sum of weights times features (see `PIECE_FEATURES`); fitted likewise."""

    always: float = -15.9
    """Times 1."""
    held: float = 0.407
    excess: float = -0.601
    foreground: float = 12.4
    speed: float = 3.96
    fill: float = 0.501
    convergence: float = 4.12


class Joining(Parameters):
    """Which pieces are put together, and which are left out."""

    join_from: float = Field(default=0.5, ge=0, le=1)
    """Two pieces that touch are joined if they are one cell with at least this probability; 1 joins none."""
    keep_from: float = Field(default=0.35, ge=0, le=1)
    """What is a cell with less than this probability is dropped; 0 drops nothing."""
    one_cell: ContactWeights = ContactWeights()
    """How likely two pieces are one cell."""
    a_cell: PieceWeights = PieceWeights()
    """How likely what results is a cell."""


def join_pieces(
    labels: NDArray[np.int32],
    foreground: NDArray[np.float32],
    flow: NDArray[np.float32],
    density: NDArray[np.float32],
    options: Joining | None = None,
    *,
    open_sides: Sides = CLOSED,
) -> NDArray[np.int32]:
    """Return labels, shape (Y, X), of which pieces of one cell are joined and those that are no cell dropped.

    The likeliest two come first; of equals those with the lower ids. Joined pieces take the lowest of their ids.

    Parameters
    ----------
    labels
        int32 (Y, X); ids need not be consecutive.
    foreground, density
        Probability of a cell, finite, and cells per pixel, float32 (Y, X).
    flow
        Direction to the cell's centre, y then x, float32 (2, Y, X).
    open_sides
        Where the image goes on beyond the array. What touches such a side is not dropped: only part of it may be seen,
        and a tile must not lose a cell before it has read the whole of it.

    Raises
    ------
    ParameterError
        If the shapes do not fit each other.
    """
    options = options or Joining()
    if not labels.shape == foreground.shape == density.shape == flow.shape[1:]:
        raise ParameterError(
            f"A foreground {foreground.shape}, a density {density.shape} and a flow {flow.shape} do not fit labels of "
            f"shape {labels.shape}."
        )
    pieces = measure_pieces(labels, foreground, flow, density)
    owner = join_measured(pieces, options)
    kept = keep_chances(pieces, options) >= options.keep_from
    kept[owner[touches_sides(labels, open_sides)]] = True
    kept[0] = False
    return np.where(kept[owner], owner, 0).astype(np.int32)[labels]


def join_measured(pieces: Pieces, options: Joining) -> NDArray[np.int64]:
    """Return the id that each id belongs to after joining; the sums of joined pieces are added up in its row."""
    weights, always = _vector(CONTACT_FEATURES, options.one_cell)
    least = np.inf if options.join_from >= 1 else _logit(options.join_from)
    return _join(
        pieces, _chain(pieces.pairs.copy(), pieces.contacts.copy(), len(pieces.whole)), _Rule(weights, always, least)
    )


def keep_chances(pieces: Pieces, options: Joining) -> NDArray[np.float64]:
    """Return the probability that each id, by its sums, is a cell; 0 for ids that do not occur."""
    weights, always = _vector(PIECE_FEATURES, options.a_cell)
    return _keep(pieces.whole, pieces.real, weights, always)


def _vector(names: tuple[str, ...], weights: ContactWeights | PieceWeights) -> tuple[NDArray[np.float64], float]:
    return np.array([getattr(weights, name) for name in names]), weights.always


def _logit(probability: float) -> float:
    return float(np.log(probability / (1 - probability))) if probability > 0 else -np.inf


@njit(cache=True, nogil=True)
def _keep(
    whole: NDArray[np.int64], real: NDArray[np.float64], weights: NDArray[np.float64], always: float
) -> NDArray[np.float64]:  # pragma: no cover - compiled
    chances = np.zeros(len(whole))
    for piece in range(1, len(whole)):
        if whole[piece, 0]:
            chances[piece] = 1 / (1 + np.exp(-always - (piece_features(whole[piece], real[piece]) * weights).sum()))
    return chances


class _Rule(NamedTuple):
    """Weights of the features of two pieces that touch, weight of nothing, and the least logit that joins them."""

    weights: NDArray[np.float64]
    always: float
    least: float


class _Contacts(NamedTuple):
    """Contacts between pieces, while these are joined.

    Parameters
    ----------
    pairs, sums
        As in `Pieces`, of what is left.
    last, before
        All contacts of a piece: `last[piece]`, then `before` of each, is 2 · contact + the end at which the piece is.
    turn
        How often a contact was judged; an older judgement counts no more.
    lost
        Whether a contact was joined, or added to another.
    """

    pairs: NDArray[np.int64]
    sums: NDArray[np.float64]
    last: NDArray[np.int64]
    before: NDArray[np.int64]
    turn: NDArray[np.int64]
    lost: NDArray[np.bool_]


@njit(cache=True, nogil=True)
def _chain(pairs: NDArray[np.int64], sums: NDArray[np.float64], count: int) -> _Contacts:  # pragma: no cover - compiled
    last, before = np.full(count, -1, np.int64), np.full(2 * len(pairs), -1, np.int64)
    for place in range(before.size):
        piece = pairs[place // 2, place % 2]
        before[place], last[piece] = last[piece], place
    return _Contacts(pairs, sums, last, before, np.zeros(len(pairs), np.int64), np.zeros(len(pairs), np.bool_))


@njit(cache=True, nogil=True)
def _join(pieces: Pieces, contacts: _Contacts, rule: _Rule) -> NDArray[np.int64]:  # pragma: no cover - compiled
    owner, found = np.arange(len(pieces.whole)), np.full(len(pieces.whole), -1, np.int64)
    waiting = [(0.0, 0, 0, 0, 0) for _ in range(0)]
    for contact in range(len(contacts.pairs)):
        _judge(contact, pieces, contacts, rule, waiting)
    while waiting:
        _, kept, gone, joined, turn = heapq.heappop(waiting)
        if contacts.lost[joined] or turn != contacts.turn[joined]:
            continue
        add_piece(pieces.whole[kept], pieces.real[kept], pieces.whole[gone], pieces.real[gone])
        pieces.whole[gone], pieces.real[gone], owner[gone] = 0, 0.0, kept
        contacts.lost[joined] = True
        _hand_over(gone, kept, contacts, found)
        place = contacts.last[kept]
        while place >= 0:
            if not contacts.lost[place // 2]:
                _judge(place // 2, pieces, contacts, rule, waiting)
            place = contacts.before[place]
    for piece in range(len(owner)):  # a piece goes to one with a lower id
        owner[piece] = owner[owner[piece]]
    return owner


@njit(cache=True, nogil=True)
def _hand_over(
    gone: int, kept: int, contacts: _Contacts, found: NDArray[np.int64]
) -> None:  # pragma: no cover - compiled
    """Give the contacts of one piece to another; `found` is scratch, -1 for every piece."""
    pairs, last, before, lost = contacts.pairs, contacts.last, contacts.before, contacts.lost
    place = last[kept]
    while place >= 0:
        if not lost[place // 2]:
            found[pairs[place // 2, 1 - place % 2]] = place // 2
        place = before[place]
    place, first = last[gone], -1
    while place >= 0:
        contact, other = place // 2, pairs[place // 2, 1 - place % 2]
        if not lost[contact] and found[other] >= 0:
            contacts.sums[found[other]] += contacts.sums[contact]
            lost[contact] = True
        elif not lost[contact]:
            pairs[contact, place % 2] = kept
        first, place = place, before[place]
    place = last[kept]
    while place >= 0:
        found[pairs[place // 2, 1 - place % 2]] = -1
        place = before[place]
    before[first], last[kept] = last[kept], last[gone]


@njit(cache=True, nogil=True)
def _judge(
    contact: int,
    pieces: Pieces,
    contacts: _Contacts,
    rule: _Rule,
    waiting: list[tuple[float, int, int, int, int]],
) -> None:  # pragma: no cover - compiled
    """Have two pieces wait for being joined, if they are likely enough to be one cell."""
    low, high = min(contacts.pairs[contact]), max(contacts.pairs[contact])
    whole, real = (pieces.whole[low], pieces.whole[high]), (pieces.real[low], pieces.real[high])
    logit = rule.always + (contact_features(contacts.sums[contact], whole, real) * rule.weights).sum()
    contacts.turn[contact] += 1
    if logit >= rule.least:
        heapq.heappush(waiting, (-logit, low, high, contact, contacts.turn[contact]))
