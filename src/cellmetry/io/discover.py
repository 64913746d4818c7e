"""Finding the images that the user means: files, folders, patterns; never our own outputs."""

from __future__ import annotations

import glob
import re
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from cellmetry.errors import InputError, MissingInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["IMAGE_SUFFIXES", "InputFile", "find_inputs", "is_own_output", "natural_key", "stem_of"]

IMAGE_SUFFIXES = frozenset(
    f".{suffix}"
    for suffix in (
        *("tif", "tiff", "btf", "tf8", "lsm", "stk", "png", "jpg", "jpeg", "bmp", "webp", "npy", "zarr"),
        *("nd2", "czi", "lif", "oib", "oif"),
    )
)
"""Suffixes that count as images in folders. A file given by name may have any; its content decides."""

_DOUBLE = (".ome.tif", ".ome.tiff", ".ome.btf", ".ome.tf8", ".ome.zarr")
_OWN = re.compile(r".+(_labels\.(tiff?|npy|zarr|ome\.zarr)|_(overlay|thumbnail)\.png)", re.IGNORECASE)
_ZARR_MARKS = ("zarr.json", ".zgroup", ".zattrs", ".zarray")
_DIGITS = re.compile(r"(\d+)")
_SCENE = re.compile(r"(.+)#(\d+)")


@dataclass(frozen=True)
class InputFile:
    """An image that was found.

    Parameters
    ----------
    path
        The file, or the folder of an OME-Zarr image.
    relative
        Where it lies below the folder or pattern that was given: outputs mirror this. Unique among the inputs.
    scene
        The scene that was asked for as ``file.czi#3``; None for all.
    """

    path: Path
    relative: PurePosixPath
    scene: int | None = None
    keep_suffix: bool = False

    @property
    def stem(self) -> PurePosixPath:
        """What names of outputs begin with: `relative` without its suffix (``.ome.tif`` counts as one).

        Where two inputs differ in nothing but the suffix it stays, as in ``a_tif`` and ``a_png``.
        """
        name = self.relative.name
        return self.relative.with_name(name.replace(".", "_") if self.keep_suffix else stem_of(name))


def find_inputs(inputs: Iterable[str | Path], *, out: str | Path | None = None) -> list[InputFile]:
    """Return the images meant by `inputs` in natural order (``f2`` before ``f10``), each once.

    Parameters
    ----------
    inputs
        Files (``file.czi#3`` for one scene), folders (searched with their sub-folders) and patterns with ``*``,
        ``?``, ``[...]`` and ``**``, which are expanded here since the Windows shell does not.
    out
        Where results go; left out when it lies inside a folder that is searched.

    Raises
    ------
    MissingInput
        If something does not exist, or a folder or pattern holds no image; says what was looked for.
    """
    found: dict[tuple[Path, int | None], InputFile] = {}
    for each in inputs:
        try:
            for file in _expand(str(each), None if out is None else Path(out).resolve()):
                found.setdefault((file.path.resolve(), file.scene), file)
        except PermissionError as error:
            raise InputError(f"{error.filename} cannot be opened: reading it is not permitted.") from error
    if not found:
        raise MissingInput("No input was given; name files, folders or patterns such as 'images/*.tif'.")
    return _with_unique_names(sorted(found.values(), key=lambda file: natural_key(str(file.relative))))


def natural_key(text: str) -> tuple[tuple[int, int | str], ...]:
    """Return a sorting key by which numbers in `text` count as numbers, and case matters only at the end."""
    parts = _DIGITS.split(text)
    folded = [(0, int(part)) if part.isdigit() else (1, part.casefold()) for part in parts if part]
    return (*folded, (2, text))


def stem_of(name: str) -> str:
    """Return a file name without its suffix, ``.ome.tif`` and the like counting as one."""
    double = next((suffix for suffix in _DOUBLE if name.lower().endswith(suffix)), None)
    return name[: -len(double)] if double and len(name) > len(double) else PurePosixPath(name).stem


def is_own_output(path: Path) -> bool:
    """Return whether a file or folder is one that Cellmetry writes: labels, overlays, runs."""
    return bool(_OWN.fullmatch(path.name)) or (path.is_dir() and (path / "run.json").is_file())


def _expand(text: str, out: Path | None) -> list[InputFile]:
    path = Path(text)
    if _is_image_folder(path) or path.is_file():
        return _named([path], text)
    if path.is_dir():
        return _in_folder(path, out)
    scene = _SCENE.fullmatch(text)
    if scene and Path(scene[1]).exists():
        return [InputFile(Path(scene[1]), PurePosixPath(Path(scene[1]).name), int(scene[2]))]
    if glob.has_magic(text):
        return _by_pattern(text, out)
    raise MissingInput(f"{text} does not exist; give an image file, a folder or a pattern such as 'images/*.tif'.")


def _named(paths: list[Path], text: str) -> list[InputFile]:
    kept = [path for path in paths if not is_own_output(path)]
    if paths and not kept:
        raise MissingInput(f"{text} holds only Cellmetry's own outputs (as {paths[0].name}), which are never inputs.")
    return [InputFile(path, PurePosixPath(path.name)) for path in kept]


def _by_pattern(text: str, out: Path | None) -> list[InputFile]:
    base = _fixed_part(text)
    skip = _reachable(out, base)
    hits = [Path(hit) for hit in glob.glob(text, recursive=True)]
    found = [
        InputFile(path, _relative(path, base))
        for hit in hits
        if not is_own_output(hit) and not _lies_in_one_thing(hit, base)
        if skip is None or not hit.resolve().is_relative_to(skip)
        for path in (_walk(hit, skip, set()) if _is_plain_folder(hit) else [hit])
    ]
    if not found:
        seen = f"{len(hits)} match, but none is an image that is not an output" if hits else "nothing matches"
        raise MissingInput(f"No image fits the pattern {text!r}: {seen}. Looked for {_looked_for()}.")
    return found


def _in_folder(folder: Path, out: Path | None) -> list[InputFile]:
    found = [InputFile(path, _relative(path, folder)) for path in _walk(folder, _reachable(out, folder), set())]
    if not found:
        raise MissingInput(f"{folder} holds no image, nor do its sub-folders. Looked for {_looked_for()}.")
    return found


def _reachable(out: Path | None, base: Path) -> Path | None:
    """Return the folder of results if a search from `base` could meet it; None if `base` itself lies in it."""
    return None if out is None or base.resolve().is_relative_to(out) else out


def _walk(folder: Path, skip: Path | None, seen: set[Path]) -> Iterator[Path]:
    real = folder.resolve()
    if real == skip or real in seen:
        return
    seen.add(real)
    for path in folder.iterdir():
        if path.name.startswith(".") or is_own_output(path):
            continue
        if _is_image_folder(path) or (path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()):
            yield path
        elif path.is_dir() and not path.name.lower().endswith(".oif.files"):
            yield from _walk(path, skip, seen)


def _is_plain_folder(path: Path) -> bool:
    return path.is_dir() and not _is_image_folder(path)


def _is_image_folder(path: Path) -> bool:
    return path.is_dir() and any((path / mark).is_file() for mark in _ZARR_MARKS)


def _lies_in_one_thing(path: Path, base: Path) -> bool:
    """Return whether a folder between `base` and `path` is an image or an output of ours as a whole."""
    above = [parent for parent in path.parents if parent != base and parent.is_relative_to(base)]
    return any(_is_image_folder(parent) or is_own_output(parent) for parent in above)


def _fixed_part(text: str) -> Path:
    parts = []
    for part in Path(text).parts[:-1]:
        if glob.has_magic(part):
            break
        parts.append(part)
    return Path(*parts)


def _relative(path: Path, base: Path) -> PurePosixPath:
    return PurePosixPath(path.relative_to(base).as_posix())


def _looked_for() -> str:
    return ", ".join(sorted(IMAGE_SUFFIXES))


def _with_unique_names(files: list[InputFile]) -> list[InputFile]:
    """Return the files with parents put before equal relative paths, and suffixes kept after equal stems."""
    files = [_told_apart(file, twins) for file, twins in _with_twins(files, lambda file: str(file.relative))]
    files = [
        replace(file, keep_suffix=len(twins) > 1) for file, twins in _with_twins(files, lambda file: str(file.stem))
    ]
    for file, twins in _with_twins(files, lambda file: str(file.stem)):
        if len(twins) > 1:
            raise InputError(f"{' and '.join(map(str, twins))} would write the same {file.stem}; rename one of them.")
    return files


def _with_twins(files: list[InputFile], key: Callable[[InputFile], str]) -> list[tuple[InputFile, list[Path]]]:
    paths: dict[str, set[Path]] = {}
    for file in files:
        paths.setdefault(key(file).casefold(), set()).add(file.path.resolve())
    return [(file, sorted(paths[key(file).casefold()])) for file in files]


def _told_apart(file: InputFile, twins: list[Path]) -> InputFile:
    if len(twins) == 1:
        return file
    real = file.path.resolve()
    deepest = max(len(twin.parts) for twin in twins)
    for depth in range(2, deepest):
        if len({twin.parts[-depth:] for twin in twins}) == len(twins):
            return replace(file, relative=PurePosixPath(*real.parts[-depth:]))
    return replace(file, relative=PurePosixPath(*real.parts[1:]))
