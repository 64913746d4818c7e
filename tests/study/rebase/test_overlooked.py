"""No edit is lost: what each one set is in the rebased labels, or asked about, however odd the model's labels are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cellmetry.core.labels import Labels
from cellmetry.errors import ParameterError
from cellmetry.ops.matching import match_labels
from cellmetry.study.editing.registry import parse_operation
from cellmetry.study.rebase.overlooked import Stroke, overlooked
from cellmetry.study.rebase.rebasing import rebase
from cellmetry.study.store.acts import Actor, act
from cellmetry.study.store.edits import apply_edit, history, patches_of
from cellmetry.study.store.label_pixels import read_labels
from cellmetry.study.store.labels import add_labels
from cellmetry.study.store.store import open_store

ANNA = Actor("anna", "python")
SIDE = 48


def disks(cells, first=1):
    """Disks (y, x, radius), later ones on top."""
    out = np.zeros((SIDE, SIDE), np.uint32)
    rows, columns = np.indices(out.shape)
    for k, (y, x, radius) in enumerate(cells):
        out[(rows - y) ** 2 + (columns - x) ** 2 <= radius**2] = first + k
    return out


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study") / "a.cellmetry"
    folder.mkdir()
    with open_store(folder) as opened:
        yield opened


def stored(store, labels):
    """Put labels into the study as those of an image of their own."""
    seq = act(store, ANNA, "add", "an image")
    image = f"i{seq}"
    with store.database.write() as connection:
        connection.execute(
            "INSERT INTO images (id, seq, name, source, sha256, state, added_by) "
            "VALUES (?, ?, ?, '{}', '', 'ready', ?)",
            (image, seq, image, seq),
        )
    return add_labels(store, seq, image, Labels(labels))


place = st.integers(2, SIDE - 3)
cells = st.lists(st.tuples(place, place, st.integers(3, 11)), max_size=6)
line = st.lists(st.tuples(place, place), min_size=2, max_size=4)
edits = st.lists(
    st.one_of(
        st.tuples(st.just("erase"), line, st.fixed_dictionaries({"radius": st.integers(1, 4)})),
        st.tuples(st.just("merge_along"), line, st.just({})),
        st.tuples(st.just("split"), line, st.just({})),
        st.tuples(st.just("brush"), line, st.fixed_dictionaries({"radius": st.integers(1, 4), "over": st.booleans()})),
        st.tuples(st.just("delete_inside"), line.filter(lambda points: len(points) > 2), st.just({"touching": True})),
    ),
    min_size=1,
    max_size=6,
)


def lost_edits(store, old, mine, after, result):
    """Return the edits of whose standing pixels less than half are in the same object, matched by place alone."""
    partner = dict(match_labels(mine, after, iou=0.5).pairs.tolist())
    lost = []
    for edit in history(store, old, limit=1000):
        if edit.version is None or result.edits[edit.act.seq] in ("question", "overwritten"):
            continue
        met = left = 0
        for patch in patches_of(store, edit.act.seq):
            here = patch.box.slices
            standing = (patch.before != patch.after) & (mine[here] == patch.after)
            ids = np.stack([each[standing] for each in (patch.before, patch.after, after[here])], axis=1)
            for was, put, now in ids.tolist():
                left += 1
                met += now == partner.get(put, -1) if put else now != partner.get(was, was)
        if met < left / 2:
            lost.append(edit)
    return lost


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cells, edits, cells)
def test_no_edit_is_lost(store, before, done, better):
    old = stored(store, disks(before))
    for name, points, more in done:
        centred = [(y + 0.5, x + 0.5) for y, x in points]
        try:
            apply_edit(store, ANNA, old, parse_operation(name, {"points": centred, **more}))
        except ParameterError:
            continue  # a line that meets nothing
    mine = read_labels(store, old).read()
    result = rebase(store, ANNA, old, Labels(disks(better, 50)))
    after = read_labels(store, result.labels_id).read()
    assert lost_edits(store, old, mine, after, result) == []


def test_a_merged_cell_in_pieces_keeps_the_piece_that_the_model_calls_part_of_it(store):
    whole = disks([(24, 24, 16)])
    halves = np.where((whole > 0) & (np.indices(whole.shape)[1] > 16), 2, whole).astype(np.uint32)
    old = stored(store, halves)
    apply_edit(store, ANNA, old, parse_operation("merge", {"ids": [1, 2]}))
    for x in (20, 24, 27):
        points = [(2.5, x + 0.5), (46.5, x + 0.5)]
        apply_edit(store, ANNA, old, parse_operation("erase", {"points": points, "radius": 2}))
    mine = read_labels(store, old).read()
    result = rebase(store, ANNA, old, Labels(whole * 9))
    after = read_labels(store, result.labels_id).read()
    assert lost_edits(store, old, mine, after, result) == []


def test_overlooked_names_the_objects_of_what_was_lost():
    mine = disks([(12, 12, 6), (34, 34, 6)])
    before = np.where(mine == 2, 0, mine).astype(np.uint32)
    everywhere = Stroke(slice(0, SIDE), slice(0, SIDE), before, mine)
    assert overlooked([everywhere], mine, mine) == set()
    assert overlooked([everywhere], mine, before) == {2}
    erased = Stroke(slice(0, SIDE), slice(0, SIDE), mine, before)
    assert overlooked([erased], before, mine) == {2}
