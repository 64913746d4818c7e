"""Patterns proposed for names of files as makers and people write them."""

from __future__ import annotations

from itertools import product
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellmetry.errors import MissingInput
from cellmetry.io.discover import InputFile, find_inputs, natural_key
from cellmetry.io.patterns import group_files
from cellmetry.io.wells import parse_well
from cellmetry.study.naming.proposing import Proposal, is_by_product, propose_pattern

GUID = "B1C2D3E4-0000-1111-2222-ABCDEF{:06d}"


def files(*names: str) -> list[InputFile]:
    return [InputFile(Path(name), PurePosixPath(name)) for name in sorted(names, key=natural_key)]


def propose(*names: str) -> Proposal:
    return propose_pattern(files(*names))


def seed_004() -> list[str]:
    return [f"{r}{c:02d}_x0_y0_w{w}.tif" for r, c, w in product("ABC", range(1, 7), (0, 1))]


def test_seed_004_with_masks_beside() -> None:
    masks = [name.replace("w0.tif", "w0_mask.tif") for name in seed_004() if "w0" in name]
    found = propose(*seed_004(), *masks)
    assert found.pattern == "{well}_{field}_w{channel}.tif"
    assert (found.n_files, found.n_images, found.channels) == (36, 18, ("0", "1"))
    assert found.parts["field"] == ("x0_y0",)
    said = " ".join(found.said)
    assert "36 files make 18 images" in said
    assert "Left aside as masks, labels or thumbnails: 18 files (A01_x0_y0_w0_mask.tif" in said
    assert any("channels 0, 1 show" in line for line in found.doubts)
    grouping = group_files(files(*seed_004(), *masks), found.pattern)
    assert len(grouping.unmatched) == 18


def test_bbbc013(shared: Path) -> None:
    found = propose_pattern(find_inputs([shared / "data" / "bbbc013"]))
    assert found.pattern == "Channel{channel}-{_}-{row}-{column}.tif"
    assert (found.n_files, found.n_images, found.channels) == (192, 96, ("1", "2"))


MAKERS = {
    "ImageXpress, sites": (
        [f"E_1_{r}{c:02d}_s{s}_w{w}.TIF" for r, c, s, w in product("AB", (1, 2), (1, 2), (1, 2))]
        + ["E_1_A01_s1_w1_thumb.TIF"],
        8,
        {"plate": ("E_1",), "channel": ("1", "2"), "field": ("1", "2")},
    ),
    "ImageXpress, identifiers": (
        [
            f"{r}{c:02d}_s{s}_w{w}{GUID.format(i)}.tif"
            for i, (r, c, s, w) in enumerate(product("AB", (1, 2), (1, 2), (1, 2)))
        ]
        + [f"A01_s1_w1_thumb{GUID.format(99)}.tif"],
        8,
        {"channel": ("1", "2"), "field": ("1", "2")},
    ),
    "Operetta": (
        [f"r{r:02d}c{c:02d}f{f:02d}p01-ch{w}sk1fk1fl1.tiff" for r, c, f, w in product((1, 2), (1, 2), (1, 2), (1, 2))],
        8,
        {"channel": ("1", "2"), "field": ("01", "02")},
    ),
    "Yokogawa": (
        [
            f"AssayPlate_X_{r}{c:02d}_T0001F{f:03d}L01A{w:02d}Z{z:02d}C{w:02d}.tif"
            for r, c, f, w, z in product("AB", (1, 2), (1, 2), (1, 2), (1, 2))
        ],
        8,
        {"plate": ("AssayPlate_X",), "channel": ("01", "02"), "z": ("01", "02")},
    ),
    "IN Cell": (
        [f"{r} - {c}(fld {f} wv {w} - {w}).tif" for r, c, f, w in product("AB", (1, 2), (1, 2), ("DAPI", "FITC"))],
        8,
        {"channel": ("DAPI - DAPI", "FITC - FITC")},
    ),
    "Cytation": (
        [f"{r}{c}_01_1_{f}_{w}_001.tif" for r, c, f, w in product("AB", (1, 12), (1, 2), ("DAPI", "Bright Field"))],
        8,
        {"channel": ("Bright Field", "DAPI"), "field": ("1", "2")},
    ),
    "plates in folders": (
        [f"plate{p}/{r}{c:02d}_w{w}.tif" for p, r, c, w in product((1, 2), "AB", (1, 2), (1, 2))],
        8,
        {"plate": ("plate1", "plate2"), "channel": ("1", "2")},
    ),
    "time points in folders": (
        [f"TimePoint_{t}/X_{r}{c:02d}_w{w}.tif" for t, r, c, w in product((1, 2), "AB", (1, 2), (1, 2))],
        4,
        {"t": ("1", "2"), "channel": ("1", "2")},
    ),
}


@pytest.mark.parametrize(("names", "n_images", "parts"), MAKERS.values(), ids=MAKERS)
def test_makers(names: list[str], n_images: int, parts: dict) -> None:
    found = propose(*names)
    assert found.n_images == n_images
    assert found.n_files == len([name for name in names if "thumb" not in name])
    assert {name: found.parts[name] for name in parts} == parts
    assert {parse_well(word).row for word in found.parts["well"]} == {0, 1}
    grouping = group_files(files(*names), found.pattern)
    assert not any(group.missing for group in grouping.groups)


def test_names_of_people_give_parts_without_a_guess() -> None:
    found = propose(*(f"{d}_rep{k}_ch{w}.tif" for d, k, w in product(("ctrl", "drugA"), (1, 2), (1, 2))))
    assert found.pattern == "{part1}_rep{rep}_ch{channel}.tif"
    assert found.n_images == 4
    assert "part1 (ctrl, drugA), rep (1, 2)" in " ".join(found.doubts)


def test_a_number_that_may_be_the_channel_is_an_alternative() -> None:
    found = propose(*(f"{d}_{k}.tif" for d, k in product(("ctrl", "drugA"), (1, 2))))
    assert found.pattern == "{part1}_{number1}.tif"
    ((other, words),) = found.alternatives
    assert other == "{part1}_{channel}.tif"
    assert "2 images of 2 channels" in words


@pytest.mark.parametrize("names", [["a.tif", "b.tif"], ["a.tif"], ["img_001.tif", "img_002.tif"], ["odd {x}.tif"]])
def test_each_file_an_image(names: list[str]) -> None:
    found = propose(*names)
    assert (found.pattern, found.n_images) == (None, len(names))


def test_masks_beside_single_images_are_no_images() -> None:
    found = propose("a.tif", "b.tif", "a_mask.tif", "b_Labels.tif")
    names = [
        group.relative.name
        for group in group_files(files("a.tif", "b.tif", "a_mask.tif", "b_Labels.tif"), found.pattern).groups
    ]
    assert names == ["a", "b"]
    assert found.n_images == 2


def test_only_masks() -> None:
    assert is_by_product("x_thumb.png")
    with pytest.raises(MissingInput, match=r"only masks.*a_mask\.tif"):
        propose("a_mask.tif")


def test_missing_planes_are_said() -> None:
    found = propose(*[name for name in seed_004() if name != "B03_x0_y0_w1.tif"])
    assert "B03_x0_y0 lacks channel 1" in " ".join(found.said)


WORDS = st.from_regex(r"[A-Za-z]{1,6}", fullmatch=True)


@given(
    st.lists(WORDS, min_size=1, max_size=3, unique_by=str.casefold),
    st.integers(1, 4),
    st.sampled_from("_- "),
    st.booleans(),
)
def test_what_is_proposed_takes_every_file_once(words: list[str], count: int, sign: str, mask: bool) -> None:
    names = [f"{word}{sign}{number}.tif" for word, number in product(words, range(count))]
    names = [name for name in names if not is_by_product(name)]
    given_files = files(*names, *([f"{names[0][:-4]}_mask.tif"] if mask else []))
    found = propose_pattern(given_files)
    assert found.n_files == len(names)
    if found.pattern is not None:
        grouping = group_files(given_files, found.pattern)
        assert sorted(str(path) for group in grouping.groups for path in group.files.values()) == sorted(names)
