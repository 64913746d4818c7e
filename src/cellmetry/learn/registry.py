"""Public data sets: where they live, what their licences allow, and how they become data sets of ours."""

from __future__ import annotations

import tomllib
from importlib.resources import files as package_files
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import Field

from cellmetry.core.parameters import parse_parameters
from cellmetry.core.step import Parameters
from cellmetry.errors import UnknownName
from cellmetry.learn.dataset import DataSetCard
from cellmetry.models.licences import NonCommercial, stated_by_licence

__all__ = ["PublicDataSet", "RemoteFile", "find_public", "list_public"]


class RemoteFile(Parameters):
    """One file of a public data set."""

    url: str = Field(pattern=r"^https?://")
    """Where it is fetched from."""
    size_bytes: int | None = Field(default=None, gt=0)
    """Its size; None if not known for sure."""
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    """Its checksum; None if not known for sure: then it is recorded at the first download and compared after."""
    unpack: str = "."
    """Folder, below that of the source, into which it is unpacked, or put if it is no archive."""

    @property
    def name(self) -> str:
        """The name under which it is kept."""
        return unquote(PurePosixPath(urlsplit(self.url).path).name)


class PublicDataSet(Parameters):
    """A data set that others have made public."""

    name: str
    """Word by which ``cellmetry dataset get`` knows it."""
    title: str
    """What it is, in a few words."""
    licence: str
    """SPDX identifier, or the words of its makers."""
    non_commercial: NonCommercial = Field(default_factory=stated_by_licence)
    """Whether commercial use of the data and of models that learn from it is forbidden; left out, as `licence` says."""
    home: str
    """Its page."""
    citation: str = ""
    """What to cite."""
    summary: str = ""
    """What the images show, and what one should know."""
    importer: str | None = None
    """Importer that reads it as it is distributed; None if none does without help."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Options of the importer."""
    advice: str = ""
    """What to do where no importer reads it as it is."""
    login: bool = False
    """Whether its page asks for a login, or to accept terms, before it gives the files."""
    by_hand: bool = False
    """Whether the files must be fetched by hand for another reason: no stable address is known."""
    files: tuple[RemoteFile, ...] = ()
    """What is fetched."""

    @property
    def card(self) -> DataSetCard:
        """The card of the data set that is made of it."""
        fields = ("name", "licence", "non_commercial", "citation", "summary")
        return DataSetCard(source=self.home, **{field: getattr(self, field) for field in fields})

    @property
    def size_bytes(self) -> int | None:
        """The size of all files together; None if not known."""
        sizes = [file.size_bytes for file in self.files]
        return sum(size for size in sizes if size) if sizes and None not in sizes else None


def list_public() -> tuple[PublicDataSet, ...]:
    """Return all public data sets that are known, in the order of the list."""
    text = package_files("cellmetry.learn").joinpath("registry.toml").read_text("utf-8")
    entries = tomllib.loads(text)["data"]
    return tuple(parse_parameters(PublicDataSet, entry, where=f"registry: {entry.get('name')}") for entry in entries)


def find_public(name: str) -> PublicDataSet:
    """Return the public data set of this name.

    Raises
    ------
    UnknownName
        If there is none.
    """
    known = {each.name: each for each in list_public()}
    if name not in known:
        raise UnknownName("public data set", name, known)
    return known[name]
