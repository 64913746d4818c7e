"""Finding the images that the user means: files, folders, patterns; never our own outputs."""

from __future__ import annotations

import glob
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from cellmetry.core.ordering import natural_key
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
_RECORDS = ("run.json", "evaluation.json", "study.toml")
_ZARR_MARKS = ("zarr.json", ".zgroup", ".zattrs", ".zarray")
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
    found: dict[tuple[Path, int | None], _Hit] = {}
    for each in inputs:
        try:
            for hit in _expand(str(each), None if out is None else Path(out).resolve()):
                found.setdefault((hit.real, hit.file.scene), hit)
        except PermissionError as error:
            raise InputError(f"{error.filename} cannot be opened: reading it is not permitted.") from error
    if not found:
        raise MissingInput("No input was given; name files, folders or patterns such as 'images/*.tif'.")
    return _with_unique_names(sorted(found.values(), key=lambda hit: natural_key(str(hit.file.relative))))


def stem_of(name: str) -> str:
    """Return a file name without its suffix, ``.ome.tif`` and the like counting as one."""
    double = next((suffix for suffix in _DOUBLE if name.lower().endswith(suffix)), None)
    return name[: -len(double)] if double and len(name) > len(double) else PurePosixPath(name).stem


def is_own_output(path: Path) -> bool:
    """Return whether a file or folder is one that Cellmetry writes: labels, overlays, runs, evaluations, studies."""
    return bool(_OWN.fullmatch(path.name)) or (path.is_dir() and any((path / name).is_file() for name in _RECORDS))


class _Hit(NamedTuple):
    """A file that was found, and where it really lies (links in folders followed)."""

    file: InputFile
    real: Path


def _hit(path: Path, relative: PurePosixPath, scene: int | None = None) -> _Hit:
    return _Hit(InputFile(path, relative, scene), path.resolve())


def _expand(text: str, out: Path | None) -> list[_Hit]:
    path = Path(text)
    if _is_image_folder(path) or path.is_file():
        if is_own_output(path):
            raise MissingInput(f"{text} is one of Cellmetry's own outputs, which are never inputs.")
        return [_hit(path, PurePosixPath(path.name))]
    if path.is_dir():
        return _in_folder(path, out)
    scene = _SCENE.fullmatch(text)
    if scene and Path(scene[1]).exists():
        return [_hit(Path(scene[1]), PurePosixPath(Path(scene[1]).name), int(scene[2]))]
    if glob.has_magic(text):
        return _by_pattern(text, out)
    raise MissingInput(f"{text} does not exist; give an image file, a folder or a pattern such as 'images/*.tif'.")


def _by_pattern(text: str, out: Path | None) -> list[_Hit]:
    base = _fixed_part(text)
    skip = _reachable(out, base)
    paths = [Path(path) for path in glob.glob(text, recursive=True)]
    found: list[_Hit] = []
    for path in paths:
        if is_own_output(path) or _lies_in_one_thing(path, base):
            continue
        if path.is_dir() and not _is_image_folder(path):
            found += _walk(path, base, skip, set())
        elif skip is None or not path.resolve().is_relative_to(skip):
            found.append(_hit(path, _relative(path, base)))
    if not found:
        seen = f"{len(paths)} match, but none is an image that is not an output" if paths else "nothing matches"
        raise MissingInput(f"No image fits the pattern {text!r}: {seen}. Looked for {_looked_for()}.")
    return found


def _in_folder(folder: Path, out: Path | None) -> list[_Hit]:
    found = list(_walk(folder, folder, _reachable(out, folder), set()))
    if not found:
        raise MissingInput(f"{folder} holds no image, nor do its sub-folders. Looked for {_looked_for()}.")
    return found


def _reachable(out: Path | None, base: Path) -> Path | None:
    """Return the folder of results if a search from `base` could meet it; None if `base` itself lies in it."""
    return None if out is None or base.resolve().is_relative_to(out) else out


def _walk(folder: Path, base: Path, skip: Path | None, seen: set[Path]) -> Iterator[_Hit]:
    real = folder.resolve()
    if real in seen or (skip is not None and real.is_relative_to(skip)):
        return
    seen.add(real)
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            path = folder / entry.name
            if entry.name.startswith(".") or _OWN.fullmatch(entry.name):
                continue
            if not entry.is_dir():
                if path.suffix.lower() in IMAGE_SUFFIXES and entry.is_file():
                    yield _Hit(InputFile(path, _relative(path, base)), real / entry.name)
            elif _is_image_folder(path):
                yield _hit(path, _relative(path, base))
            elif not is_own_output(path) and not entry.name.lower().endswith(".oif.files"):
                yield from _walk(path, base, skip, seen)


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


def _with_unique_names(hits: list[_Hit]) -> list[InputFile]:
    """Return the files with parents put before equal relative paths, and suffixes kept after equal stems."""
    hits = [_told_apart(hit, twins) for hit, twins in _with_twins(hits, lambda file: str(file.relative))]
    stems = _with_twins(hits, lambda file: str(file.stem))
    hits = [_Hit(replace(hit.file, keep_suffix=len(twins) > 1), hit.real) for hit, twins in stems]
    for hit, twins in _with_twins(hits, lambda file: str(file.stem)):
        if len(twins) > 1:
            names = " and ".join(map(str, twins))
            raise InputError(f"{names} would write the same {hit.file.stem}; rename one of them.")
    return [hit.file for hit in hits]


def _with_twins(hits: list[_Hit], key: Callable[[InputFile], str]) -> list[tuple[_Hit, list[Path]]]:
    """Return each file with the real paths of all that have the same key, its own included; case does not count."""
    keys = [key(hit.file).casefold() for hit in hits]
    paths: dict[str, set[Path]] = {}
    for name, hit in zip(keys, hits, strict=True):
        paths.setdefault(name, set()).add(hit.real)
    return [(hit, sorted(paths[name])) for name, hit in zip(keys, hits, strict=True)]


def _told_apart(hit: _Hit, twins: list[Path]) -> _Hit:
    if len(twins) == 1:
        return hit
    for depth in range(2, max(len(twin.parts) for twin in twins)):
        if len({twin.parts[-depth:] for twin in twins}) == len(twins):
            return _Hit(replace(hit.file, relative=PurePosixPath(*hit.real.parts[-depth:])), hit.real)
    return _Hit(replace(hit.file, relative=PurePosixPath(*hit.real.parts[1:])), hit.real)
