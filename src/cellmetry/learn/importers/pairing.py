"""Images and the files of their truth, brought together by folders and stems or by patterns of their paths."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from cellmetry.errors import InputError, MissingInput, ParameterError
from cellmetry.io.discover import IMAGE_SUFFIXES, natural_key, stem_of
from cellmetry.io.patterns import parse_pattern
from cellmetry.learn.importers.base import Entry, Importer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cellmetry.io.patterns import FilePattern

__all__ = ["PairedImporter", "all_files"]

_SHOWN = 3


class _Found(NamedTuple):
    """A file that a pattern or a folder gave, and the named parts of its path."""

    path: Path
    parts: dict[str, str]


class _Files(NamedTuple):
    """Files by the name of their image: images, truth, and pictures of what was annotated."""

    images: dict[str, _Found]
    truth: dict[str, _Found]
    annotated: dict[str, _Found]


class PairedImporter(Importer):
    """An importer of images each with one file of truth beside it, and some with a picture of what was annotated.

    Without patterns the images lie in a folder ``images``, the truth in one of `truth_folders` and the pictures in
    ``annotated``, with equal stems (a suffix such as ``_masks`` after the stem of a truth is allowed).
    """

    truth_folders: ClassVar[tuple[str, ...]] = ("labels", "masks")
    truth_endings: ClassVar[tuple[str, ...]] = ("_labels", "_label", "_masks", "_mask")
    truth_suffixes: ClassVar[frozenset[str]] = IMAGE_SUFFIXES

    image_pattern: str = ""
    """Paths of the images with named parts, as ``{name}_img.png`` or ``raw/{well}_{field}.tif``; with ``/`` matched
    below the source, otherwise in any folder."""
    truth_pattern: str = ""
    """Paths of the truth with the same named parts, as ``{name}_masks.png``; what matches this is no image."""
    annotated_pattern: str = ""
    """Paths of pictures, black where nobody looked, with the same named parts, as ``{name}_seen.png``; images without
    one were annotated everywhere. What matches this is neither image nor truth."""
    group_by: str = ""
    """Named part of the patterns whose value is the group (``well``): a split never parts a group."""
    skip_unpaired: bool = False
    """Leave out images without truth and truth without an image, instead of refusing."""

    def entries(self, source: Path) -> Sequence[Entry]:
        """Return the pairs in natural order."""
        self._check_patterns()
        if not source.is_dir():
            raise MissingInput(f"{source} is no folder; give the one that holds images and truth.")
        found = self._by_pattern(source) if self.image_pattern else self._by_folders(source)
        self._refuse_unpaired(found, source)
        keys = sorted(found.images.keys() & found.truth.keys(), key=natural_key)
        return [self._entry(key, found) for key in keys]

    def _check_patterns(self) -> None:
        if bool(self.image_pattern) != bool(self.truth_pattern):
            raise ParameterError("image_pattern and truth_pattern are given together, or neither.")
        if self.annotated_pattern and not self.image_pattern:
            raise ParameterError("annotated_pattern is given together with image_pattern and truth_pattern.")

    def _entry(self, key: str, found: _Files) -> Entry:
        image, seen = found.images[key], found.annotated.get(key)
        annotated = seen.path if seen else None
        return Entry(key, image.path, found.truth[key].path, self._group(image), annotated=annotated)

    def _by_pattern(self, source: Path) -> _Files:
        image, truth, *seen = self._patterns()
        if self.group_by and self.group_by not in image.names:
            raise ParameterError(f"group_by is {self.group_by!r}, but the pattern has {', '.join(image.names)}.")
        files = all_files(source)
        annotated = _matched(files, source, seen[0], image.names) if seen else {}
        files = _without(files, annotated)
        labels = _matched(files, source, truth, image.names)
        return _Files(_matched(_without(files, labels), source, image, image.names), labels, annotated)

    def _patterns(self) -> list[FilePattern]:
        """Return the patterns of images, truth and, if it is given, what was annotated; all have the same parts."""
        given = (self.image_pattern, self.truth_pattern, self.annotated_pattern)
        first, *others = (parse_pattern(text) for text in given if text)
        for other in others:
            if set(first.names) != set(other.names):
                raise ParameterError(
                    f"The patterns {first.text!r} and {other.text!r} have different named parts; what belongs together "
                    f"shares all of them."
                )
        return [first, *others]

    def _by_folders(self, source: Path) -> _Files:
        if self.group_by:
            raise ParameterError("group_by names a part of the patterns; give image_pattern and truth_pattern.")
        folders = [source / name for name in self.truth_folders if (source / name).is_dir()]
        if not (source / "images").is_dir() or not folders:
            raise MissingInput(
                f"{source} has no folder images beside one of {', '.join(self.truth_folders)}; say how the files are "
                f"named with image_pattern and truth_pattern, as '{{name}}_img.png' and '{{name}}_masks.png'."
            )
        images = _by_stem(source / "images", IMAGE_SUFFIXES)
        truth = {}
        for stem, path in _by_stem(folders[0], self.truth_suffixes).items():
            truth[_partner(stem, images, self.truth_endings)] = path
        annotated = source / "annotated"
        return _Files(images, truth, _by_stem(annotated, IMAGE_SUFFIXES) if annotated.is_dir() else {})

    def _refuse_unpaired(self, found: _Files, source: Path) -> None:
        if self.skip_unpaired:
            return
        for some, other, words in (
            (found.images, found.truth, "images have no truth"),
            (found.truth, found.images, "files are the truth of no image"),
            (found.annotated, found.images, "pictures of what was annotated belong to no image"),
        ):
            alone = sorted(
                (some[key].path for key in some.keys() - other.keys()), key=lambda path: natural_key(str(path))
            )
            if alone:
                named = ", ".join(str(path.relative_to(source)) for path in alone[:_SHOWN])
                raise MissingInput(
                    f"{source}: {len(alone)} {words}, for example {named}; correct the patterns, or leave them "
                    f"out with skip_unpaired."
                )

    def _group(self, found: _Found) -> str:
        return found.parts[self.group_by] if self.group_by else ""


def all_files(source: Path) -> list[Path]:
    """Return the files below a folder in natural order, without hidden ones and what macOS leaves in zips."""
    found = [path for path in source.rglob("*") if path.is_file() and not _is_hidden(path.relative_to(source))]
    return sorted(found, key=lambda path: natural_key(str(path)))


def _is_hidden(relative: Path) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in relative.parts)


def _matched(files: Iterable[Path], source: Path, pattern: FilePattern, names: Sequence[str]) -> dict[str, _Found]:
    found: dict[str, _Found] = {}
    for path in files:
        relative = PurePosixPath(path.relative_to(source).as_posix())
        parts = pattern.match(relative)
        if parts is None:
            continue
        folder = "" if "/" in pattern.text else relative.parent.as_posix().removeprefix(".")
        key = "/".join(part for part in (folder, "_".join(parts[name] for name in names)) if part)
        if key in found:
            raise InputError(f"{found[key].path} and {path} are one image by the pattern {pattern.text!r}.")
        found[key] = _Found(path, parts)
    return found


def _without(files: Sequence[Path], found: dict[str, _Found]) -> list[Path]:
    taken = {each.path for each in found.values()}
    return [path for path in files if path not in taken]


def _by_stem(folder: Path, suffixes: frozenset[str]) -> dict[str, _Found]:
    found: dict[str, _Found] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in suffixes or _is_hidden(path.relative_to(folder)) or not path.is_file():
            continue
        relative = path.relative_to(folder)
        key = relative.with_name(stem_of(path.name)).as_posix()
        if key in found:
            raise InputError(f"{found[key].path} and {path} have the same stem; rename one of them.")
        found[key] = _Found(path, {})
    return found


def _partner(stem: str, images: dict[str, _Found], endings: Sequence[str]) -> str:
    if stem in images:
        return stem
    shorter = [stem.removesuffix(ending) for ending in endings if stem.endswith(ending)]
    return next((each for each in shorter if each in images), stem)
