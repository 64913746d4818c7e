"""File names tell which files make up an image; what does not fit is said."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np
import pytest
import tifffile

from cellmetry.core.image import Image, image_from_array
from cellmetry.errors import AxesError, MissingInput, ParameterError, UnknownName
from cellmetry.io.discover import InputFile, find_inputs
from cellmetry.io.grouped import open_group
from cellmetry.io.patterns import group_files, parse_pattern


def _files(*names: str) -> list[InputFile]:
    return [InputFile(Path("in") / name, PurePosixPath(name)) for name in names]


def _open(path: Path) -> Image:
    """Return an image whose pixels tell its file name."""
    return image_from_array(np.full((4, 5), sum(path.name.encode()), np.uint16), name=path.stem)


def test_files_become_images_with_channels() -> None:
    found = group_files(
        _files(*(f"{well}_{field}_w{channel}.tif" for well in ("B02", "B10") for field in "12" for channel in "12")),
        "{well}_{field}_w{channel}.tif",
        roles={"2": "DNA"},
    )
    assert [str(group.relative) for group in found.groups] == ["B02_1", "B02_2", "B10_1", "B10_2"]
    assert found.groups[0].parts == {"well": "B02", "field": "1"}
    assert found.groups[0].channel_names == ("1", "DNA")
    assert found.problems == found.unmatched == ()
    image = open_group(found.groups[1], open_plane=_open)
    assert (image.axes, image.shape, image.channel_names, image.name) == ("CYX", (2, 4, 5), ("1", "DNA"), "B02_2")
    assert image.plane(c=1)[0, 0] == sum(b"B02_2_w2.tif")


def test_depth_and_time_in_names_are_ordered_as_numbers() -> None:
    found = group_files(_files(*(f"s_t{t}_z{z}.tif" for t in (2, 10, 1) for z in (9, 10, 11))), "{name}_t{t}_z{z}.tif")
    (group,) = found.groups
    assert (group.times, group.depths) == (("1", "2", "10"), ("9", "10", "11"))
    image = open_group(group, open_plane=_open)
    assert image.axes == "TZYX"
    assert image.plane(t=2, z=1)[0, 0] == sum(b"s_t10_z10.tif")
    assert image.channel_names == ("channel0",)


def test_what_does_not_match_or_is_missing_is_told() -> None:
    found = group_files(_files("A1_w1.tif", "A1_w2.tif", "A2_w1.tif", "notes.tif"), "{well}_w{channel}.tif")
    assert [path.name for path in found.unmatched] == ["notes.tif"]
    assert found.problems == (
        "1 file does not match '{well}_w{channel}.tif': notes.tif.",
        "A2 lacks channel 2.",
    )
    with pytest.raises(MissingInput, match="A2 lacks channel 2"):
        open_group(found.groups[1], open_plane=_open)


def test_own_expressions_skipped_parts_and_any_case_of_the_suffix() -> None:
    pattern = parse_pattern(r"{well:[A-H]\d{2}}_s{site:\d}_w{channel:\d}{_}.tif")
    assert pattern.names == ("well", "site", "channel")
    assert pattern.match(PurePosixPath("x/B02_s1_w2F3-AA.TIF")) == {"well": "B02", "site": "1", "channel": "2"}
    assert pattern.match(PurePosixPath("b02_s1_w2F3.tif")) is None
    assert pattern.match(PurePosixPath("B2_s1_w2F3.tif")) is None


def test_channel_has_no_separator_in_it() -> None:
    pattern = parse_pattern("{name}_{channel}.tif")
    assert pattern.match(PurePosixPath("01_POS002_D.TIF")) == {"name": "01_POS002", "channel": "D"}


def test_pattern_with_folders_matches_the_path_and_a_name_twice_must_agree() -> None:
    pattern = "{plate}/{well}/{plate}_c{channel}.tif"
    found = group_files(_files("P1/A01/P1_c1.tif", "P2/A01/P2_c1.tif", "P1/A01/P2_c1.tif"), pattern)
    assert [str(group.relative) for group in found.groups] == ["P1_A01", "P2_A01"]
    assert len(found.unmatched) == 1


def test_sub_folders_are_different_images() -> None:
    found = group_files(_files("a/x_c1.tif", "b/x_c1.tif"), "{name}_c{channel}.tif")
    assert [str(group.relative) for group in found.groups] == ["a/x", "b/x"]


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        ("{well.tif", "without '}'"),
        ("well}.tif", r"a '}' without"),
        ("{1a}.tif", "part named '1a'"),
        ("plain.tif", "names no part"),
        ("{a:[}.tif", "wrong regular expression"),
    ],
)
def test_wrong_patterns_are_refused(pattern: str, sentence: str) -> None:
    with pytest.raises(ParameterError, match=sentence):
        parse_pattern(pattern)


def test_clashes_are_refused() -> None:
    with pytest.raises(ParameterError, match="the same plane"):
        group_files(_files("A_w1x.tif", "A_w1y.tif"), r"{well}_w{channel:\d}{_}.tif")
    with pytest.raises(ParameterError, match="both be named a_b_c"):
        group_files(_files("a_b-c.tif", "a-b_c.tif"), "{one}-{two}.tif")
    with pytest.raises(UnknownName, match="Known: 1, 2"):
        group_files(_files("A_w1.tif", "A_w2.tif"), "{well}_w{channel}.tif", roles={"3": "DNA"})


def test_files_that_do_not_fit_together_are_refused() -> None:
    (group,) = group_files(_files("A_w1.tif", "A_w2.tif"), "{well}_w{channel}.tif").groups
    with pytest.raises(AxesError, match="sizes or types differ"):
        open_group(group, open_plane=lambda path: image_from_array(np.zeros((4, int(path.stem[-1])), np.uint8)))
    with pytest.raises(AxesError, match="extends along C"):
        open_group(group, open_plane=lambda _: image_from_array(np.zeros((2, 4, 5), np.uint8), "CYX"))


def test_stacks_within_files_are_kept(tmp_path: Path) -> None:
    stacks = np.random.default_rng(0).integers(0, 999, (2, 3, 8, 9), dtype=np.uint16)
    for channel in range(2):
        tifffile.imwrite(
            tmp_path / f"a_c{channel}.tif", stacks[channel], imagej=True, metadata={"axes": "ZYX", "unit": "um"}
        )
    (group,) = group_files(find_inputs([tmp_path]), "{name}_c{channel}.tif").groups
    image = open_group(group)
    assert image.axes == "CZYX"
    np.testing.assert_array_equal(image.read(), stacks)
    assert image.metadata["name"] == "a"


def test_real_plate(shared: Path) -> None:
    files = find_inputs([shared / "data" / "bbbc013" / "images"])
    found = group_files(files, "Channel{channel}-{_:\\d\\d}-{row}-{column}.tif", roles={"1": "FKHR-GFP", "2": "DNA"})
    assert len(found.groups) == 96
    assert found.problems == ()
    image = open_group(found.groups[0])
    assert image.name == "A_01"
    assert image.channel_names == ("FKHR-GFP", "DNA")
    np.testing.assert_array_equal(
        image.plane(c=1), tifffile.imread(shared / "data" / "bbbc013" / "images" / "Channel2-01-A-01.tif")
    )


def test_real_planes_in_channels_and_depth(shared: Path) -> None:
    files = find_inputs([shared / "data" / "dualcolour"])
    found = group_files(files, "{dose}_C{channel}Z{z}.png", roles={"001": "target", "002": "reference", "003": "DIC"})
    (group,) = found.groups
    assert [path.name for path in found.unmatched] == ["0.0_Z003_cell_masks.tif"]
    image = open_group(group)
    assert image.axes == "CZYX"
    assert image.shape == (3, 4, 1024, 1024)
    assert image.channel_names == ("target", "reference", "DIC")
    assert image.plane(c=0, z=2).std() > 0
