"""Images put together from channels in named roles: a target and a reference, of one file or of two."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from cellmetry.errors import MissingInput, ParameterError, UnknownName
from cellmetry.ops.channels import ChannelOf, grey_channel, merge_channels
from cellmetry.pipeline.inputs import Found, ImageRef, find_images

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cellmetry.core.image import Image
    from cellmetry.pipeline.reading import Reading

__all__ = ["GREY", "Role", "RoleRef", "find_by_channel", "find_by_file", "in_roles", "same_channel", "split_channel"]

GREY = ("gray", "grey")
"""Words that mean the brightness of a colour picture."""
_LETTERS = {"r": "red", "g": "green", "b": "blue"}


class Role(NamedTuple):
    """What plays a role: a channel, by name or index, of an image; None for the only one there is."""

    name: str
    ref: ImageRef
    channel: str | None


@dataclass(frozen=True)
class RoleRef(ImageRef):
    """An image whose channels are what plays each role."""

    roles: tuple[Role, ...] = field(default=())

    @property
    def plane_names(self) -> dict[str, tuple[str, ...]]:
        """What file names call the planes and frames of the first role."""
        return self.roles[0].ref.plane_names

    @property
    def role_text(self) -> str:
        """Which channel of which file plays which role."""
        return repr([(role.name, role.ref.text, role.channel) for role in self.roles])

    def open(self) -> Image:
        """Return the image with one channel a role.

        Raises
        ------
        ParameterError
            If a file has several channels and none was named, or sizes differ.
        """
        opened = {role.ref.text: role.ref.open() for role in self.roles}
        chosen = [_channel(role, opened[role.ref.text]) for role in self.roles]
        return merge_channels(chosen, self.stem.name)

    def file_hashes(self) -> dict[str, str]:
        """Return the hash of every file, by path."""
        return {path: digest for role in self.roles for path, digest in role.ref.file_hashes().items()}


def in_roles(image: Image, roles: Mapping[str, str]) -> Image:
    """Return an image with one channel a role: role → channel by name or index, of a colour picture also ``gray``.

    Raises
    ------
    UnknownName
        If it has no such channel.
    ParameterError
        If two roles are played by one channel, by its name and by its index.
    """
    chosen = [_named(name, channel, image, image.name) for name, channel in roles.items()]
    if len({(id(each.image), each.place) for each in chosen}) < len(chosen):
        raise ParameterError(f"{image.name}: {same_channel(image.channel_names[chosen[0].place])}.")
    return merge_channels(chosen, image.name)


def same_channel(name: str) -> str:
    """Return why a channel cannot be target and reference, and what to do."""
    return (
        f"target and reference are the same channel, {name}, whose ratio is 1 everywhere; name another reference, or "
        f"none to measure the target alone"
    )


def _channel(role: Role, image: Image) -> ChannelOf:
    if role.channel is None and len(image.channels) > 1:
        known = ", ".join([*(["gray"] if image.colour else []), *image.channel_names])
        raise ParameterError(
            f"{role.ref.text} has {len(image.channels)} channels; say which one is the {role.name} by its name or "
            f"index after a colon, as in {role.ref.path.name}:{image.channel_names[0]} (there are: {known})."
        )
    return _named(role.name, role.channel or "0", image, role.ref.text)


def _named(role: str, channel: str, image: Image, where: str) -> ChannelOf:
    """Return the channel of an image that is called so."""
    wanted = channel.lower()
    if wanted in GREY and (image.colour or len(image.channels) == 1):
        return ChannelOf(role, grey_channel(image) if image.colour else image, 0)
    if image.colour:
        wanted = _LETTERS.get(wanted, wanted)
        if wanted not in (*map(str.lower, image.channel_names), "0", "1", "2"):
            raise UnknownName(f"channel in {where}", channel, ["gray", *image.channel_names])
    return ChannelOf(role, image, image.channel_index(wanted if image.colour else channel))


def split_channel(text: str) -> tuple[str, str | None]:
    """Return file and channel of a text such as ``cells.tif:GFP``; the channel is None where the whole is a file."""
    head, colon, tail = text.rpartition(":")
    named = bool(colon and tail) and len(head) > 1 and not Path(text).exists()
    return (head, tail) if named else (text, None)


def find_by_file(files: Mapping[str, str], reading: Reading) -> Found:
    """Return one image for a set of files, each a role → ``FILE`` or ``FILE:CHANNEL``; named after the first.

    Raises
    ------
    MissingInput
        If a file does not exist.
    ParameterError
        If a text means several images.
    """
    roles = []
    for name, text in files.items():
        file, channel = split_channel(text)
        found = find_images([file], reading).images
        if len(found) != 1:
            raise ParameterError(
                f"{file} holds {len(found)} images; the {name} is one: name a scene with #N, or give the images before "
                f"the options and let --{name} name a channel."
            )
        roles.append(Role(name, found[0], channel))
    first = roles[0].ref
    stem = PurePosixPath(first.stem.name)
    return Found((RoleRef(first.path, stem, first.reading, first.scene, roles=tuple(roles)),), ())


def find_by_channel(
    inputs: Iterable[str | Path], channels: Mapping[str, str], reading: Reading, out: Path | None = None
) -> Found:
    """Return every image of `inputs` with its channels in roles: role → channel by name or index.

    Raises
    ------
    MissingInput
        If the inputs hold no image.
    """
    found = find_images(inputs, reading, out)
    if not found.images:
        raise MissingInput("The inputs hold no image.")
    images = tuple(
        RoleRef(
            ref.path,
            ref.stem,
            ref.reading,
            ref.scene,
            ref.group,
            ref.others,
            roles=tuple(Role(name, ref, channel) for name, channel in channels.items()),
        )
        for ref in found.images
    )
    return Found(images, found.problems)
