"""What counts as an input and how it is named."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from cellmetry.errors import InputError, MissingInput
from cellmetry.io.discover import find_inputs, is_own_output, natural_key, stem_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("f10.tif", "f2.tif", "sub/deep/g1.PNG", "notes.txt", ".hidden.tif", ".cache/x.tif"):
        _touch(tmp_path / "in" / name)
    return tmp_path / "in"


def _touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


def _names(*inputs: Path | str, out: Path | None = None) -> list[str]:
    return [str(file.relative) for file in find_inputs(inputs, out=out)]


def test_folder_in_natural_order_with_sub_folders_and_without_hidden_files(folder: Path) -> None:
    assert _names(folder) == ["f2.tif", "f10.tif", "sub/deep/g1.PNG"]
    assert [str(file.stem) for file in find_inputs([folder])] == ["f2", "f10", "sub/deep/g1"]


def test_own_outputs_are_never_inputs(folder: Path) -> None:
    for own in (
        "f2_labels.tif",
        "f2_labels.npy",
        "f2_overlay.png",
        "run1/run.json",
        "run1/a.tif",
        "f2_labels.zarr/zarr.json",
    ):
        _touch(folder / own)
    assert _names(folder) == ["f2.tif", "f10.tif", "sub/deep/g1.PNG"]
    assert is_own_output(folder / "run1")
    assert _names(f"{folder}/**/*.tif") == ["f2.tif", "f10.tif"]
    with pytest.raises(MissingInput, match="own outputs"):
        find_inputs([folder / "f2_labels.tif"])


def test_out_folder_inside_the_input_is_left_out(folder: Path) -> None:
    _touch(folder / "out" / "a.tif")
    assert "out/a.tif" not in _names(folder, out=folder / "out")
    assert _names(f"{folder}/**/*.tif", out=folder / "out") == ["f2.tif", "f10.tif"]


def test_out_folder_that_is_the_input_or_above_it_hides_nothing(folder: Path) -> None:
    assert len(_names(folder, out=folder)) == 3
    assert len(_names(folder, out=folder.parent)) == 3


def test_pattern_is_expanded_here(folder: Path) -> None:
    assert _names(f"{folder}/f*.tif") == ["f2.tif", "f10.tif"]
    assert _names(f"{folder}/**/*.PNG") == ["sub/deep/g1.PNG"]
    assert _names(f"{folder}/su*") == ["sub/deep/g1.PNG"]


def test_a_name_with_brackets_that_exists_is_a_file(tmp_path: Path) -> None:
    assert _names(_touch(tmp_path / "a[1].tif")) == ["a[1].tif"]


def test_scene_is_split_off(folder: Path) -> None:
    _touch(folder / "m.czi")
    (found,) = find_inputs([f"{folder}/m.czi#3"])
    assert (found.path, found.scene) == (folder / "m.czi", 3)


def test_ome_zarr_counts_as_one_image(folder: Path) -> None:
    _touch(folder / "z.ome.zarr" / "zarr.json")
    _touch(folder / "z.ome.zarr" / "0" / "inner.png")
    assert "z.ome.zarr" in _names(folder)
    assert not [name for name in _names(folder) if "inner" in name]
    with pytest.raises(MissingInput, match="1 match"):
        find_inputs([f"{folder}/z*/**/*.png"])
    assert stem_of("z.ome.zarr") == "z"


def test_tiffs_of_an_oif_file_belong_to_it(folder: Path) -> None:
    _touch(folder / "s.oif")
    _touch(folder / "s.oif.files" / "s_C001.tif")
    assert [name for name in _names(folder) if name.startswith("s.")] == ["s.oif"]


def test_same_input_given_twice_is_taken_once(folder: Path) -> None:
    assert _names(folder, folder / "f2.tif", f"{folder}/*.tif") == ["f2.tif", "f10.tif", "sub/deep/g1.PNG"]


def test_equal_names_from_two_folders_get_their_parents(tmp_path: Path) -> None:
    first, second = _touch(tmp_path / "a" / "x.tif"), _touch(tmp_path / "b" / "x.tif")
    assert _names(first, second) == ["a/x.tif", "b/x.tif"]
    assert _names(tmp_path / "a", tmp_path / "b") == ["a/x.tif", "b/x.tif"]


def test_equal_stems_keep_their_suffix(tmp_path: Path) -> None:
    _touch(tmp_path / "x.tif"), _touch(tmp_path / "x.png"), _touch(tmp_path / "y.tif")
    stems = {str(file.stem) for file in find_inputs([tmp_path])}
    assert stems == {"x_tif", "x_png", "y"}
    _touch(tmp_path / "x_tif.npy")
    with pytest.raises(InputError, match="would write the same"):
        find_inputs([tmp_path])


@pytest.mark.parametrize("given", ["nothing.tif", "*.tif", "empty"])
def test_nothing_found_says_what_was_looked_for(tmp_path: Path, given: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingInput, match=r"\.tif|does not exist"):
        find_inputs([tmp_path / given])


def test_a_loop_of_links_ends(folder: Path) -> None:
    try:
        (folder / "sub" / "back").symlink_to(folder, target_is_directory=True)
    except OSError:
        pytest.skip("this system does not let us make links")
    assert len(_names(folder)) == 3


def test_natural_key_orders_numbers_as_numbers() -> None:
    names = ["s10", "S9", "s1", "s01"]
    assert sorted(names, key=natural_key) == ["s01", "s1", "S9", "s10"]


def test_unusual_file_names_pass(tmp_path: Path) -> None:
    names = ["ünïcode 😀.tif", "<img onerror>.tif", "a#b.tif", "#.tif"]
    for name in names:
        _touch(tmp_path / name)
    assert {PurePosixPath(name) for name in names} == {file.relative for file in find_inputs([tmp_path])}


def test_real_folders(shared: Path) -> None:
    assert len(find_inputs([shared / "data" / "bbbc039" / "images"])) == 70
    found = find_inputs([shared / "data" / "dualcolour"])
    assert sum(file.path.suffix == ".png" for file in found) == 12
