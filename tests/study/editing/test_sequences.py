"""Random sequences of all operations, undo and redo: labels, pyramid and objects stay what they should be."""

from __future__ import annotations

import base64
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numcodecs.zstd import Zstd

from cellmetry.core.labels import labels_hash
from cellmetry.errors import EditConflict, ParameterError
from cellmetry.io.tile_store import decode_tile
from cellmetry.study.editing.registry import EDIT_OPERATIONS
from cellmetry.study.store.acts import Actor
from cellmetry.study.store.edits import redo, undo
from cellmetry.study.store.label_pixels import read_labels, tile_frame
from cellmetry.study.store.label_tiles import TILE, Tile

ANNA = Actor("anna", "web")
SHAPE = (2, 560, 530)


def start():
    """Squares around the corner where four tiles meet, and some elsewhere, in two planes."""
    array = np.zeros(SHAPE, np.uint32)
    number = 0
    for z in range(2):
        for y in range(440, 540, 24):
            for x in range(430, 520, 22):
                number += 1
                array[z, y + z : y + 20, x : x + 20] = number
    array[0, 50:70, 50:90] = number + 1
    return array


def points(rng, count, spread=40):
    middle = rng.uniform((430, 430), SHAPE[1:])
    return [tuple(map(float, middle + rng.normal(0, spread, 2))) for _ in range(count)]


def parameters(rng, name, ids):
    """Return random parameters of an operation."""
    some = [int(each) for each in rng.choice(ids, min(len(ids), int(rng.integers(2, 5))), replace=False)]
    y, x = int(rng.integers(430, 520)), int(rng.integers(430, 500))
    values = rng.choice([0, *some], (30, 25)).astype("<u4")
    made = {
        "brush": {"points": points(rng, 3), "radius": float(rng.uniform(0.5, 12)), "over": bool(rng.integers(2))},
        "erase": {"points": points(rng, 2), "radius": float(rng.uniform(0.5, 12))},
        "draw": {"points": points(rng, 6), "over": bool(rng.integers(2))},
        "fill_holes": {"ids": some},
        "fill": {"point": points(rng, 1)[0], "largest_px": 300_000},
        "merge": {"ids": some, "planes": str(rng.choice(["here", "z", "all"]))},
        "merge_along": {"points": points(rng, 3), "radius": 2.0},
        "split": {"points": points(rng, 3, 80)},
        "watershed": {"id": some[0], "depth": 0.0},
        "part_apart": {"id": some[0]},
        "delete": {"ids": some[:1], "planes": str(rng.choice(["here", "all"]))},
        "delete_inside": {"points": points(rng, 4), "touching": bool(rng.integers(2))},
        "grow": {"ids": some, "pixels": float(rng.uniform(1, 15))},
        "shrink": {"ids": some, "pixels": 1.5},
        "relabel": {"id": some[0], "planes": "z"},
        "copy_plane": {"step": int(rng.choice([-1, 1])), "over": bool(rng.integers(2))},
        "replace": {"box": (y, y + 30, x, x + 25), "zstd": base64.b64encode(Zstd().encode(values)).decode()},
    }
    return {"z": int(rng.integers(2)), **made[name]}


def check(study):
    """Compare the pyramid and the objects with the labels at full size."""
    now, labels = study.now, study.labels
    assert int(now.max()) < labels.next_id
    for level in range(labels.levels):
        seen = now[:, :: 2**level, :: 2**level]
        side = tuple(min(TILE, size) for size in seen.shape[1:])
        for z in range(SHAPE[0]):
            for y in range(-(-seen.shape[1] // TILE)):
                for x in range(-(-seen.shape[2] // TILE)):
                    frame = tile_frame(study.store, labels, Tile(level, 0, z, y, x))
                    tile = np.zeros(side, "<u4") if frame is None else decode_tile(frame, side, np.dtype("<u4"), "tile")
                    part = seen[z, y * TILE : (y + 1) * TILE, x * TILE : (x + 1) * TILE]
                    assert np.array_equal(tile[: part.shape[0], : part.shape[1]], part), (level, z, y, x)
                    assert not tile[part.shape[0] :].any()
                    assert not tile[:, part.shape[1] :].any()
    rows = study.store.database.rows("SELECT z, id, y0, y1, x0, x1, area_px FROM objects ORDER BY z, id")
    found = []
    for z in range(SHAPE[0]):
        for label in np.unique(now[z][now[z] > 0]).tolist():
            at = np.argwhere(now[z] == label)
            (y0, x0), (y1, x1) = at.min(axis=0).tolist(), (at.max(axis=0) + 1).tolist()
            found.append((z, label, y0, y1, x0, x1, len(at)))
    assert [tuple(row) for row in rows] == found


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(seed=st.integers(0, 2**31))
def test_any_sequence_keeps_everything_exact_and_can_be_undone(seed, open_study):
    rng = np.random.default_rng(seed)
    study = open_study(start(), "ZYX")
    original, states = study.labels.sha256, [study.now]
    undone = []
    for number in range(18):
        before = study.now
        action = rng.integers(10)
        if action == 0 and len(states) > 1:
            undo(study.store, ANNA, study.labels_id)
            undone.append(states.pop())
            assert np.array_equal(study.now, states[-1])
        elif action == 1 and undone:
            redo(study.store, ANNA, study.labels_id)
            states.append(undone.pop())
            assert np.array_equal(study.now, states[-1])
        else:
            name = str(rng.choice(list(EDIT_OPERATIONS)))
            used = study.labels.next_id
            try:
                result = study.edit(name, **parameters(rng, name, np.unique(before[before > 0])))
            except ParameterError:
                assert np.array_equal(study.now, before)
                continue
            now = study.now
            changed = np.argwhere(now != before)
            new = np.setdiff1d(now, [0, *np.unique(before)])
            assert (new >= used).all() or name == "replace"
            assert all(
                any(
                    z == place[0] and box.y0 <= place[1] < box.y1 and box.x0 <= place[2] < box.x1
                    for _, z, box in result.boxes
                )
                for place in changed[:: max(1, len(changed) // 50)]
            )
            if result.act is not None:
                states.append(now)
                undone.clear()
        if number == 9:
            study.reopen()
        if number == 9:
            check(study)
    check(study)
    while len(states) > 1:
        undo(study.store, ANNA, study.labels_id)
        states.pop()
    assert labels_hash(read_labels(study.store, study.labels_id)) == original
    check(study)


def covered(points, radius):
    """Pixels that a round pen surely covers along a line."""
    y, x = np.mgrid[: SHAPE[1], : SHAPE[2]] + 0.5
    found = np.zeros(SHAPE[1:], bool)
    for (y0, x0), (y1, x1) in pairwise(points):
        dy, dx = y1 - y0, x1 - x0
        along = np.clip(((y - y0) * dy + (x - x0) * dx) / max(dy * dy + dx * dx, 1e-9), 0, 1)
        found |= np.hypot(y - y0 - along * dy, x - x0 - along * dx) < radius - 0.01
    return found


def tried(study, rng, name, session, base):
    """Return what was asked for, as far as that is known beforehand, and the error if it was refused."""
    asked = np.zeros(SHAPE, bool)
    try:
        if name in ("undo", "redo"):
            {"undo": undo, "redo": redo}[name](study.store, ANNA, study.labels_id, session=session)
            return asked, None
        some = parameters(rng, name, np.unique(study.now[study.now > 0]))
        if name == "brush":
            asked[some["z"]] = covered(some["points"], some["radius"])
        study.edit(name, session=session, base_version=base, **some)
    except (EditConflict, ParameterError) as error:
        return asked, error
    return asked, None


@pytest.mark.parametrize("seed", range(4))
def test_two_sessions_that_edit_and_undo_in_any_order(seed, open_study):
    """Whatever is saved meets nothing that the other changed since one looked; without that there is no conflict."""
    rng = np.random.default_rng(seed)
    study = open_study(start(), "ZYX")
    original = study.labels.sha256
    seen, changed, conflicts = {"left": 0, "right": 0}, [], 0
    names = ["undo", "redo", *["brush"] * 5, "erase", "split", "delete", "grow", "merge"]
    for _ in range(24):
        session, name, before = str(rng.choice(list(seen))), str(rng.choice(names)), study.now
        since = -1 if name in ("undo", "redo") else seen[session]
        theirs, free = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)  # what they changed; of that, what one saw empty
        for version, whose, pixels, empty in changed:
            if whose != session and version > since:
                free |= pixels & empty & ~theirs
                theirs |= pixels
        asked, error = tried(study, rng, name, session, seen[session])
        mine = study.now != before
        if isinstance(error, EditConflict):
            assert theirs.any()
            conflicts += 1
            seen[session] = study.labels.version  # looks again
        elif since >= 0:
            assert not (mine & theirs).any()
            assert not (asked & free).any()
        if error is not None:
            assert not mine.any()
        else:
            changed.append((study.labels.version, session, mine, before == 0))
    assert conflicts > 1
    check(study)
    for _ in range(100):
        try:
            undo(study.store, ANNA, study.labels_id)
        except ParameterError:
            break
    assert labels_hash(read_labels(study.store, study.labels_id)) == original
    check(study)
