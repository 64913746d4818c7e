"""Cellpose's pickled masks: read, and never run."""

from __future__ import annotations

import io
import os
import pickle
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cellmetry.errors import CellmetryError, DamagedFile, MissingInput, UnsupportedFormat
from cellmetry.export.cellpose_npy import read_cellpose_seg


def save(path: Path, content: Any, protocol: int | None = None) -> Path:
    array = np.array(content, dtype=object)
    if protocol is None:
        np.save(path, array, allow_pickle=True)
        return path
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, np.lib.format.header_data_from_array_1_0(array))
    path.write_bytes(stream.getvalue() + pickle.dumps(array, protocol=protocol))
    return path


def seg(masks: np.ndarray) -> dict[str, Any]:
    return {
        "masks": masks, "outlines": masks * 0, "img": np.zeros((2, 2, 3), np.float32), "filename": "well/a.tif",
        "flows": [np.zeros((2, 2)), None, [1.5, "x"]], "ismanual": np.zeros(3, bool), "est_diam": np.float64(31.5),
        "chan_choose": [0, 0], "colors": np.arange(6, dtype=np.uint8).reshape(2, 3),
    }  # fmt: skip


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.uint32, ">u2", bool])
@pytest.mark.parametrize("protocol", [None, 3, 4])
def test_masks_and_name_come_back(tmp_path: Path, dtype: Any, protocol: int | None) -> None:
    masks = np.arange(12).reshape(3, 4).astype(dtype)
    found = read_cellpose_seg(save(tmp_path / "a_seg.npy", seg(masks), protocol))
    assert np.array_equal(found.masks, masks)
    assert found.filename == "well/a.tif"


def test_arrays_by_columns_come_back(tmp_path: Path) -> None:
    masks = np.asfortranarray(np.arange(12, dtype=np.uint16).reshape(3, 4))
    assert np.array_equal(read_cellpose_seg(save(tmp_path / "a_seg.npy", seg(masks))).masks, masks)


class Payload:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.system, (f"echo run > '{self.marker}'",)


class Evaluated(Payload):
    def __reduce__(self) -> Any:
        return eval, (f"open({str(self.marker)!r}, 'w').close()",)


@pytest.mark.parametrize("kind", [Payload, Evaluated])
@pytest.mark.parametrize("place", ["masks", "filename", "flows", "beside"])
def test_a_hostile_file_is_refused_and_not_run(tmp_path: Path, kind: type[Payload], place: str) -> None:
    content = seg(np.ones((2, 2), np.uint16))
    content[place] = [kind(tmp_path / "marker")]
    path = save(tmp_path / "a_seg.npy", content)
    with pytest.raises(UnsupportedFormat, match=r"a_seg\.npy asks for .*not run"):
        read_cellpose_seg(path)
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize("name", [b"cnumpy\nload\n", b"cbuiltins\ngetattr\n", b"cnumpy._core.multiarray\nfromfile\n"])
def test_no_other_function_even_of_numpy_is_called(tmp_path: Path, name: bytes) -> None:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "|O", "fortran_order": False, "shape": ()})
    (tmp_path / "a_seg.npy").write_bytes(stream.getvalue() + name + b"(S'/etc/passwd'\ntR.")
    with pytest.raises(UnsupportedFormat, match="asks for"):
        read_cellpose_seg(tmp_path / "a_seg.npy")


def test_masks_of_other_types_are_refused(tmp_path: Path) -> None:
    for masks in (np.ones((2, 2)), np.array([["a"]]), np.ones(2, np.complex64)):
        with pytest.raises(DamagedFile, match="masks"):
            read_cellpose_seg(save(tmp_path / "a_seg.npy", seg(np.ones((2, 2), int)) | {"masks": masks}))


def test_other_files_are_refused_in_words(tmp_path: Path) -> None:
    np.save(tmp_path / "plain.npy", np.ones((2, 2)))
    save(tmp_path / "other.npy", {"a": 1})
    save(tmp_path / "list.npy", [1, 2])
    (tmp_path / "text.npy").write_text("hello")
    (tmp_path / "empty.npy").write_bytes(b"")
    for name in ("plain", "other", "list", "text", "empty"):
        with pytest.raises(CellmetryError, match=name):
            read_cellpose_seg(tmp_path / f"{name}.npy")
    with pytest.raises(MissingInput):
        read_cellpose_seg(tmp_path / "absent.npy")


def test_a_cut_or_changed_file_is_refused_wherever(tmp_path: Path) -> None:
    whole = save(tmp_path / "a_seg.npy", seg(np.ones((3, 3), np.uint16))).read_bytes()
    for length in range(0, len(whole) - 1, 7):
        (tmp_path / "cut.npy").write_bytes(whole[:length])
        with pytest.raises(CellmetryError, match=r"cut\.npy"):
            read_cellpose_seg(tmp_path / "cut.npy")
    random = np.random.default_rng(0)
    for _ in range(500):
        changed = bytearray(whole)
        changed[random.integers(128, len(whole))] = random.integers(256)
        (tmp_path / "cut.npy").write_bytes(changed)
        with suppress(CellmetryError):  # anything else would be a traceback
            read_cellpose_seg(tmp_path / "cut.npy")
