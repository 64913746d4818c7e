"""Cellpose's ``_seg.npy``, which is a pickle: read without running anything that it asks for.

A pickle is a program that may call any function by name. Here every name that such a file needs is answered by a
holder of ours that only keeps what it is given, and any other name is refused; NumPy arrays are made afterwards, by
us, from plain bytes whose number fits.
"""

from __future__ import annotations

import io
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.lib import format as npy_format

from cellmetry.errors import DamagedFile, MissingInput, UnsupportedFormat
from cellmetry.io.failures import reading

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CellposeSeg", "read_cellpose_seg"]

_DTYPES = frozenset(f"{kind}{size}" for kind, sizes in {"u": "1248", "i": "1248"}.items() for size in sizes) | {"b1"}


@dataclass(frozen=True)
class CellposeSeg:
    """What is kept of a ``_seg.npy``: the masks as stored, whole numbers, and the name of the image as stated."""

    masks: NDArray[Any]
    filename: str


def read_cellpose_seg(path: str | Path) -> CellposeSeg:
    """Return masks and image name of a ``_seg.npy``; no code of the file is run.

    Raises
    ------
    MissingInput, UnsupportedFormat, DamagedFile
        If the file is missing, is no such file, asks for a function that masks do not need, or breaks off.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingInput(f"{path} does not exist; give a _seg.npy that Cellpose saved.")
    try:
        with reading(str(path)):
            content = _unpickled(path)
    except pickle.UnpicklingError as error:
        raise DamagedFile(f"{path.name} is a damaged pickle: {error}.") from error
    if not isinstance(content, dict) or not isinstance(content.get("masks"), _Array):
        raise UnsupportedFormat(f"{path.name} holds no masks; it is not a _seg.npy of Cellpose.")
    try:
        masks = content["masks"].made()
    except (TypeError, ValueError) as error:
        raise DamagedFile(f"{path.name}: its masks are damaged: {error}.") from error
    name = content.get("filename")
    return CellposeSeg(masks, name if isinstance(name, str) else "")


def _unpickled(path: Path) -> Any:
    with path.open("rb") as file:
        version = npy_format.read_magic(file)
        header = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
        shape, _, dtype = header(file)
        if dtype != np.dtype(object) or shape != ():
            raise UnsupportedFormat(f"{path.name} is a plain array, not a _seg.npy; import it as labels.")
        outer = _Unpickler(io.BytesIO(file.read()), path.name).load()
    inner = outer.state[4] if isinstance(outer, _Array) and len(outer.state) == 5 else None
    if not isinstance(inner, list) or len(inner) != 1:
        raise UnsupportedFormat(f"{path.name} holds no masks; it is not a _seg.npy of Cellpose.")
    return inner[0]


class _Held:
    """Keeps what a pickle would have given to a function; does nothing with it."""

    def __init__(self, *given: Any) -> None:
        self.given = given
        self.state: Any = ()

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def __hash__(self) -> int:
        return id(self)


class _Type(_Held):
    """Stands for a NumPy dtype: its name is the first argument, the byte order the second part of its state."""

    @property
    def text(self) -> str:
        """Return it as NumPy writes it, such as ``<u2``."""
        name = self.given[0] if self.given else None
        if not isinstance(name, str) or name.lstrip("<>|=") not in _DTYPES:
            raise TypeError(f"masks must be whole numbers, not of the type {name!r}")
        order = self.state[1] if isinstance(self.state, tuple) and len(self.state) > 1 else "<"
        if order not in {"<", ">", "|", "="}:
            raise TypeError(f"the byte order {order!r} is unknown")
        return f"{order}{name.lstrip('<>|=')}"


class _Array(_Held):
    """Stands for a NumPy array: version, shape, type, whether it lies by columns, and its bytes."""

    def made(self) -> NDArray[Any]:
        """Return the array.

        Raises
        ------
        TypeError, ValueError
            If the parts are not those of an array of whole numbers, or there are too few or too many bytes.
        """
        _, shape, kind, by_columns, data = self.state
        if not isinstance(kind, _Type) or not isinstance(data, bytes | bytearray):
            raise TypeError("they are no array of numbers")
        if not all(isinstance(side, int) and side >= 0 for side in shape):
            raise ValueError(f"the shape {shape!r} is impossible")
        flat = np.frombuffer(data, np.dtype(kind.text))
        return flat.reshape(shape, order="F" if by_columns else "C")


class _Unpickler(pickle.Unpickler):  # every name is answered by a holder or refused
    _KNOWN: ClassVar[dict[tuple[str, str], type[_Held]]] = {
        **{(f"numpy.{core}.multiarray", "_reconstruct"): _Array for core in ("core", "_core")},
        **{(f"numpy.{core}.multiarray", "scalar"): _Held for core in ("core", "_core")},
        **{(f"numpy.{core}.numeric", "_frombuffer"): _Held for core in ("core", "_core")},
        ("numpy", "ndarray"): _Held,
        ("numpy", "dtype"): _Type,
    }

    def __init__(self, file: io.BytesIO, name: str) -> None:
        super().__init__(file)
        self.name = name

    def find_class(self, module: str, name: str) -> Any:
        """Return the holder for a name that arrays need.

        Raises
        ------
        UnsupportedFormat
            For any other name: it could be the call of any function.
        """
        if (module, name) not in self._KNOWN:
            raise UnsupportedFormat(
                f"{self.name} asks for {module}.{name}, which masks do not need; it was not run and the file not "
                f"read. Save the masks as PNG or TIFF instead."
            )
        return self._KNOWN[module, name]

    def persistent_load(self, pid: Any) -> Any:
        """Refuse objects that lie outside of the file."""
        raise pickle.UnpicklingError("it refers to an object outside of the file")
