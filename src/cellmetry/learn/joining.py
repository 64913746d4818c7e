"""How pieces are joined and kept, fitted on pieces of images whose truth is known: two logistic regressions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import fastremap
import numpy as np
from scipy.optimize import minimize
from scipy.sparse import coo_array
from scipy.special import expit

from cellmetry.ops.flows import FlowDecoding, decode_flows
from cellmetry.ops.joining import ContactWeights, Joining, PieceWeights, join_measured
from cellmetry.ops.pieces import (
    CONTACT_FEATURES,
    PIECE_FEATURES,
    Pieces,
    contact_features,
    measure_pieces,
    piece_features,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from cellmetry.models.card import Head

__all__ = ["JoiningSamples", "fit_joining", "sample_joining"]

Weights = TypeVar("Weights", ContactWeights, PieceWeights)

_STAGES = (1.0, 0.8, 0.5, 0.2)
"""What may be judged as a cell: the pieces themselves, and what joining leaves from these probabilities on."""
_IOU = 0.5
_SPRING = 3.0
_LEAST_SPREAD = 0.05
"""Features that differ less among the samples are taken to say little."""
_EVENNESS = 0.5


class JoiningSamples(NamedTuple):
    """What the pieces of one image teach.

    Parameters
    ----------
    contacts, one_cell
        Features of each two pieces that touch, shape (contacts, features), and whether the truth has them as one cell.
    objects, a_cell
        Features of what may be judged as a cell, shape (objects, features), and whether a cell of the truth has an
        IoU above 0.5 with it.
    """

    contacts: NDArray[np.float64]
    one_cell: NDArray[np.bool_]
    objects: NDArray[np.float64]
    a_cell: NDArray[np.bool_]


def sample_joining(
    maps: dict[Head, NDArray[np.float32]], truth: NDArray[Any], decoding: FlowDecoding
) -> JoiningSamples:
    """Return what an image's finished maps, shape (channels, Y, X) by head, and its labels (Y, X) teach.

    The maps must have foreground, flow and density. What is judged as a cell has been joined as `decoding` says.
    """
    joining = decoding.joining or Joining()
    loose = decoding.model_copy(update={"joining": None, "min_area_px": 1, "max_flow_error": None})
    foreground, flow, density = maps["foreground"][0], maps["flow"], maps["density"][0]
    labels = decode_flows(foreground, flow, loose)
    cells = fastremap.renumber(np.ascontiguousarray(truth).astype(np.uint32), preserve_zero=True)[0].astype(np.int64)
    pieces = measure_pieces(labels, foreground, flow, density)
    overlaps = _overlaps(labels, cells)
    contacts, one_cell = _contact_samples(pieces, overlaps)
    objects, a_cell = [], []
    for least in _STAGES:
        joined = Pieces(pieces.whole.copy(), pieces.real.copy(), pieces.pairs, pieces.contacts)
        owner = join_measured(joined, joining.model_copy(update={"join_from": least}))
        taken = coo_array((overlaps.data, (owner[overlaps.row], overlaps.col)), overlaps.shape)
        features, known = _object_samples(joined, taken, np.bincount(cells.ravel()))
        objects.append(features)
        a_cell.append(known)
    return JoiningSamples(contacts, one_cell, np.concatenate(objects), np.concatenate(a_cell))


def _overlaps(labels: NDArray[np.int32], cells: NDArray[np.int64]) -> coo_array:
    """Return how many pixels each piece shares with each cell, shape (pieces, cells), 0 for background."""
    shape = (int(labels.max(initial=0)) + 1, int(cells.max(initial=0)) + 1)
    both, shared = np.unique(labels.ravel().astype(np.int64) * shape[1] + cells.ravel(), return_counts=True)
    return coo_array((shared, (both // shape[1], both % shape[1])), shape)


def _contact_samples(pieces: Pieces, overlaps: coo_array) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    mostly = np.asarray(overlaps.tocsr().argmax(axis=1)).ravel()
    rows, same = [], []
    for (low, high), contact in zip(pieces.pairs, pieces.contacts, strict=True):
        if mostly[low] and mostly[high]:
            whole, real = (pieces.whole[low], pieces.whole[high]), (pieces.real[low], pieces.real[high])
            rows.append(contact_features(contact, whole, real))
            same.append(mostly[low] == mostly[high])
    return np.array(rows).reshape(-1, len(CONTACT_FEATURES)), np.array(same, bool)


def _object_samples(
    pieces: Pieces, overlaps: coo_array, areas: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    taken = overlaps.tocsr()
    rows, known = [], []
    for piece in np.flatnonzero(pieces.whole[:, 0]):
        part = slice(taken.indptr[piece], taken.indptr[piece + 1])
        cells, shared = taken.indices[part], taken.data[part]
        iou = np.where(cells > 0, shared / (pieces.whole[piece, 0] + areas[cells] - shared), 0.0)
        rows.append(piece_features(pieces.whole[piece], pieces.real[piece]))
        known.append(iou.max(initial=0.0) > _IOU)
    return np.array(rows).reshape(-1, len(PIECE_FEATURES)), np.array(known, bool)


def fit_joining(samples: Iterable[JoiningSamples], start: Joining) -> Joining:
    """Return `start` with weights fitted to the samples; where they say little, those of `start` stay."""
    each = list(samples)
    contacts, objects = [(s.contacts, s.one_cell) for s in each], [(s.objects, s.a_cell) for s in each]
    return start.model_copy(
        update={
            "one_cell": _fit(contacts, CONTACT_FEATURES, start.one_cell),
            "a_cell": _fit(objects, PIECE_FEATURES, start.a_cell),
        }
    )


def _fit(
    images: list[tuple[NDArray[np.float64], NDArray[np.bool_]]], names: tuple[str, ...], start: Weights
) -> Weights:
    """Return the weights that minimise the logarithmic loss, held to those of `start` by a spring of a few samples.

    An image with four times as many samples counts twice as much.
    """
    images = [image for image in images if len(image[1])]
    if not images:
        return start
    features = np.concatenate([image[0] for image in images])
    signs = np.where(np.concatenate([image[1] for image in images]), 1.0, -1.0)
    counts = np.concatenate([np.full(len(image[1]), float(len(image[1])) ** -_EVENNESS) for image in images])
    counts *= len(counts) / counts.sum()
    scale = np.maximum(features.std(axis=0), _LEAST_SPREAD)
    columns = np.column_stack([np.ones(len(features)), (features - features.mean(axis=0)) / scale])
    first = np.array([getattr(start, name) for name in names])
    anchor = np.concatenate([[start.always + first @ features.mean(axis=0)], first * scale])

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margins = signs * (columns @ weights)
        pull = weights - anchor
        value = counts @ np.logaddexp(0, -margins) + 0.5 * _SPRING * pull @ pull
        return float(value), _SPRING * pull - columns.T @ (counts * signs * expit(-margins))

    found = minimize(loss, anchor, jac=True, method="L-BFGS-B").x
    weights = found[1:] / scale
    always = found[0] - weights @ features.mean(axis=0)
    fitted = {"always": always, **dict(zip(names, weights, strict=True))}
    return start.model_copy(update={name: float(f"{value:.4g}") for name, value in fitted.items()})
