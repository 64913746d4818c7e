"""`register_images`: files become images of a study, by reference; a job reads them."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from cellmetry.errors import InputError
from cellmetry.io.discover import find_inputs
from cellmetry.io.links import refuse_links
from cellmetry.pipeline.inputs import file_hash, images_of_files
from cellmetry.pipeline.reading import Reading
from cellmetry.study.store.acts import act
from cellmetry.study.store.images import add_image, images
from cellmetry.study.store.jobs import add_job
from cellmetry.study.store.originals import add_original

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cellmetry.io.discover import InputFile
    from cellmetry.pipeline.inputs import ImageRef
    from cellmetry.study.store.acts import Actor
    from cellmetry.study.store.store import Store

__all__ = ["NO_LINKS", "register_images"]

NO_LINKS = "no_links"
"""What the source of an image says whose files must neither be links nor have any that lead out of them."""


def register_images(
    store: Store,
    actor: Actor,
    inputs: Sequence[Path],
    *,
    reading: Reading | None = None,
    names: Mapping[Path, str] | None = None,
    links: bool = True,
) -> tuple[str, ...]:
    """Return the ids of the images that files or folders became in one act; a job that reads them is queued.

    Files are read once to be hashed, and never written to. An image that the study has already, of the same name and
    content, is not added again unless it was uploaded. A file that cannot be opened becomes an image; the job says why.

    Parameters
    ----------
    reading
        What the files do not say; with a pattern, several files become one image.
    names
        What users call files that they uploaded, which lie in the study's own folder under names of ours. It is text,
        never a path. None for files that stay where they are.
    links
        Whether links are followed, now and whenever one of the images is opened.

    Raises
    ------
    MissingInput
        If something does not exist, or holds no image.
    InputError
        If a file cannot be read at all, or is or has a link that is not followed.
    """
    store.must_be_writable()
    reading = reading or Reading()
    uploaded, names = names is not None, names or {}
    files = [_named(file, names) for file in find_inputs(inputs)]
    for file in () if links else files:
        refuse_links(file.path.resolve())
    shown = {file.path: file.relative.as_posix() for file in files}
    known = set() if uploaded else {(image.name, image.sha256) for image in images(store)}
    found = [(ref, _content(ref)) for ref in images_of_files(files, reading).images]
    new = [(ref, sha256) for ref, sha256 in found if (ref.name, sha256) not in known]
    if not new:
        return ()
    with store.database.write():
        what = new[0][0].name if len(new) == 1 else f"{len(new)} images"
        seq = act(store, actor, "add images", f"Add {what}", reading=_said(reading))
        ids: dict[Path, str] = {}
        added = []
        for ref, sha256 in new:
            for path in files_of(ref):
                if path not in ids:
                    ids[path] = add_original(
                        store, seq, path, shown.get(path, path.name), uploaded=uploaded, sha256=file_hash(path)
                    )
            source = source_of(ref, ids) if links else {**source_of(ref, ids), NO_LINKS: True}
            added.append(add_image(store, seq, ref.name, source, sha256))
        add_job(store, actor, "read", {"images": added})
    return tuple(added)


def files_of(ref: ImageRef) -> list[Path]:
    """Return the files of an image, those of a group in the order in which its hash takes them."""
    return [ref.path, *ref.others] if ref.group is None else sorted(ref.group.files.values())


def source_of(ref: ImageRef, ids: Mapping[Path, str]) -> dict[str, Any]:
    """Return how an image is opened as JSON values, its files by the ids of their originals."""
    source: dict[str, Any] = {
        "files": [ids[path] for path in files_of(ref)],
        "scene": ref.scene,
        "reading": _said(ref.reading),
    }
    if ref.group is not None:
        group = ref.group
        source["group"] = {
            "parts": dict(group.parts),
            "planes": [[*place, ids[path]] for place, path in group.files.items()],
            "times": list(group.times),
            "channels": list(group.channels),
            "depths": list(group.depths),
            "channel_names": list(group.channel_names),
        }
    return source


def _said(reading: Reading) -> dict[str, Any]:
    return reading.model_dump(mode="json", exclude_defaults=True)


def _named(file: InputFile, names: Mapping[Path, str]) -> InputFile:
    """Return a file by the name that its user gave it, which may be anything."""
    if file.path not in names:
        return file
    parts = [part for part in names[file.path].replace("\\", "/").split("/") if part.strip(". ")]
    return replace(file, relative=PurePosixPath(*parts) if parts else PurePosixPath("image"))


def _content(ref: ImageRef) -> str:
    """Return the hash of an image's files; of several, the hash of their hashes."""
    try:
        each = [file_hash(path) for path in files_of(ref)]
    except OSError as error:
        raise InputError(f"{error.filename or ref.path} cannot be read: {error.strerror or error}.") from error
    return each[0] if len(each) == 1 else hashlib.sha256("".join(each).encode()).hexdigest()
