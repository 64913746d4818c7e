"""Splits: groups stay whole, fractions hold per data set and modality, files are read again."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellmetry.core.image import image_from_array
from cellmetry.core.labels import labels_from_array
from cellmetry.errors import DamagedFile, InputError, ParameterError
from cellmetry.io.images import write_image
from cellmetry.io.labels import write_labels
from cellmetry.learn.dataset import DataSet, DataSetCard, Item, write_data_set
from cellmetry.learn.splits import PARTS, Split, SplitRow, assign_groups, read_split, split_items, write_split
from cellmetry.ops.synthetic import FieldOptions, make_cells


def make_set(folder: Path, name: str, seeds: list[int], groups: list[str]) -> DataSet:
    folder.mkdir()
    items = []
    for number, (seed, group) in enumerate(zip(seeds, groups, strict=True)):
        made = make_cells((128, 128), 8, FieldOptions(diameter_px=12), seed=seed)
        image, truth = folder / f"i{number}.tif", folder / f"t{number}.tif"
        write_image(image_from_array(made.image[0]), image)
        write_labels(labels_from_array(made.labels), truth)
        items.append(Item(f"i{number}", image, truth, group=group, modality="even" if number % 2 else "odd"))
    data_set = DataSet(DataSetCard(name=name), folder, tuple(items))
    write_data_set(data_set)
    return data_set


def test_groups_and_twins_stay_together_across_sets(tmp_path: Path) -> None:
    first = make_set(tmp_path / "a", "a", list(range(12)), ["w1", "w1", "w1"] + [""] * 9)
    second = make_set(tmp_path / "b", "b", [5, 6, 40, 41], ["", "", "w1", ""])
    split = split_items([first, second], fractions=(0.5, 0.25, 0.25), seed=3)
    group = {(row.data, row.name): row.group for row in split.rows}
    assert group["a", "i0"] == group["a", "i1"] == group["a", "i2"]
    assert group["a", "i5"] == group["b", "i0"]
    assert group["a", "i6"] == group["b", "i1"]
    assert group["b", "i2"] != group["a", "i0"]
    assert len(set(group.values())) >= 10
    assert split == split_items([first, second], fractions=(0.5, 0.25, 0.25), seed=3)
    assert {row.split for row in split.rows} == set(PARTS)
    write_split(split, tmp_path / "split.csv")
    assert read_split(tmp_path / "split.csv") == split
    assert split.of("a", "i5") == split.of("b", "i0")
    with pytest.raises(InputError, match="does not say where nobody"):
        split.of("a", "nobody")
    with pytest.raises(ParameterError, match="Two data sets are named"):
        split_items([first, first])


def test_copies_that_are_named_so_stay_with_their_original(tmp_path: Path) -> None:
    """Twelve different fields, so that nothing but names can link them."""
    names = ["a", "a_rotated137_", "A_aug3", "b_flip_h", "b_rot90", "c_mirror", "d", "e", "e_2", "f", "g", "g_dapi"]
    first = make_set(tmp_path / "a", "a", list(range(12)), [""] * 12)
    first = replace(first, items=tuple(replace(item, name=n) for item, n in zip(first.items, names, strict=True)))
    second = make_set(tmp_path / "b", "b", [40], [""])
    second = replace(second, items=(replace(second.items[0], name="a"),))
    split = split_items([first, second], fractions=(0.5, 0.25, 0.25))
    members = defaultdict(set)
    for row in split.rows:
        members[row.group].add(row.name)
    alone = [{name} for name in ("a", "c_mirror", "d", "e", "e_2", "f", "g", "g_dapi")]
    together = [{"a", "a_rotated137_", "A_aug3"}, {"b_flip_h", "b_rot90"}]
    assert sorted(map(sorted, members.values())) == sorted(map(sorted, alone + together))


@given(
    st.lists(st.tuples(st.integers(0, 25), st.sampled_from("abc")), min_size=1, max_size=120),
    st.sampled_from([(0.8, 0.1, 0.1), (0.5, 0.25, 0.25), (0.7, 0.3, 0.0), (1.0, 0.0, 0.0)]),
    st.integers(0, 5),
)
def test_no_group_is_ever_parted(
    members: list[tuple[int, str]], fractions: tuple[float, float, float], seed: int
) -> None:
    groups = np.unique([group for group, _ in members], return_inverse=True)[1].astype(np.int64)
    parts = assign_groups(groups, [stratum for _, stratum in members], fractions, seed=seed)
    seen = defaultdict(set)
    for group, part in zip(groups.tolist(), parts.tolist(), strict=True):
        seen[group].add(part)
    assert all(len(each) == 1 for each in seen.values())
    assert all(fractions[part] > 0 for part in parts.tolist())
    if len(seen) >= 3:
        assert {part for part in range(3) if fractions[part] > 0} <= set(parts.tolist())


def test_fractions_hold_in_every_stratum() -> None:
    strata = ["a"] * 100 + ["b"] * 40 + ["c"] * 20
    parts = assign_groups(np.arange(160), strata, (0.75, 0.1, 0.15), seed=1)
    for stratum, size in Counter(strata).items():
        counts = Counter(part for part, each in zip(parts.tolist(), strata, strict=True) if each == stratum)
        assert [counts[0] / size, counts[1] / size, counts[2] / size] == pytest.approx([0.75, 0.1, 0.15], abs=1 / size)
    assert (parts != assign_groups(np.arange(160), strata, (0.75, 0.1, 0.15), seed=2)).any()


@pytest.mark.parametrize("fractions", [(0.5, 0.5), (0.9, 0.2, 0.1), (0.0, 0.5, 0.5), (1.2, -0.1, -0.1)])
def test_wrong_fractions_are_refused(fractions: tuple[float, ...]) -> None:
    with pytest.raises(ParameterError, match="sum to 1"):
        assign_groups(np.arange(4), ["a"] * 4, fractions)


def test_a_split_file_that_tears_a_group_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="different parts"):
        Split((SplitRow("d", "a", "train", "g"), SplitRow("d", "b", "test", "g")))
    with pytest.raises(InputError, match="names an item twice"):
        Split((SplitRow("d", "a", "train", "g"), SplitRow("d", "a", "train", "g")))
    (tmp_path / "s.csv").write_text("data,name,split,group\nd,1,training,g\n")
    with pytest.raises(DamagedFile, match="'training' is none of"):
        read_split(tmp_path / "s.csv")
    (tmp_path / "s.csv").write_text("data,name,split\nd,1,train\n")
    with pytest.raises(DamagedFile, match="no column 'group'"):
        read_split(tmp_path / "s.csv")


def test_something_new_is_held_out_where_all_that_is_known_teaches(tmp_path: Path) -> None:
    whole = make_set(tmp_path / "a", "a", list(range(4)), [""] * 4)
    taught = tuple(SplitRow("a", name, "train", f"a/{name}") for name in ("i0", "i1"))
    split = split_items([whole], fractions=(0.75, 0.25, 0.0), before=Split(taught))
    assert split.rows[:2] == taught
    assert "validation" in {row.split for row in split.rows[2:]}
