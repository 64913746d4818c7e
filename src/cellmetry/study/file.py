"""`StudyFile`: what ``study.toml`` says, the one list of a study's entries; and how it is read."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar, get_args, get_origin

from pydantic import ConfigDict, Field, field_validator, model_validator

from cellmetry.core.parameters import parse_parameters
from cellmetry.core.step import Parameters
from cellmetry.errors import MissingInput, ParameterError, UnknownName
from cellmetry.stats.dosing import DoseAnalysis
from cellmetry.study.questions import TableComparison, TableGate
from cellmetry.study.store.names import STUDY_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "STUDY_FILE",
    "WORDS",
    "About",
    "DesignSection",
    "Exclusion",
    "Filters",
    "ImagesSection",
    "Output",
    "Part",
    "Rule",
    "Second",
    "Sheet",
    "Study",
    "StudyFile",
    "load_study",
    "parse_study",
    "parts_of",
    "sources",
]

STUDY_FILE = "study.toml"
"""Name of the file that makes a folder a study."""
WORDS = ("plate", "well", "row", "column", "field", "time", "condition", "dose", "replicate", "batch")
"""What a design can know of an image."""

P = TypeVar("P", bound=Parameters)


class _Section(Parameters):
    """Entries of the file, in which a number may stand for text: ``values = [1, 2]``."""

    model_config = ConfigDict(coerce_numbers_to_str=True)


class About(_Section):
    """What the study is called and what it asks."""

    name: str = ""
    """Name in reports; that of the folder if left empty."""
    description: str = ""
    """What the study asks, in a sentence or two for the report."""


class ImagesSection(_Section):
    """Where the images are and how they are read."""

    folder: str = "."
    """Folder of the images, seen from the folder of this file, or its whole path. Nothing is ever written there."""
    pattern: str | None = None
    """File names with named parts, as in {well}_{field}_w{channel}.tif; channel, z and t say which plane a file holds,
    all other names together say which image. A pattern with / is matched against the path below the folder. Without
    one, each file (each scene of a file) is an image."""
    roles: dict[str, str] = Field(default_factory=dict)
    """Names of channels by their index, name, or value in file names."""
    pixel_size_um: float | None = Field(default=None, gt=0)
    """Side of a pixel in µm; wins over the files'."""
    pixel_size_z_um: float | None = Field(default=None, gt=0)
    """Distance of planes in µm; wins over the files'."""
    axes: str | None = None
    """Axes of the files where they do not say, as in ZYX."""
    rgb: Literal["colour", "channels"] = "colour"
    """Whether RGB files are colour pictures or three channels."""
    detector_bits: int | None = Field(default=None, ge=1, le=32)
    """Bits of the detector where the files do not say; wins over what they say."""
    aligned_to: str | None = None
    """Channel on which the others should lie; their shift is looked for on a few fields before a run."""
    headers: bool = True
    """Whether the design asks the images for plate, well and field, pixel size and exposure. Without a pattern they are
    opened in any case."""


class Sheet(_Section):
    """A table of what is in the wells, or of the images."""

    file: str
    """CSV or Excel file, seen from the folder of this file, or its whole path."""
    join: dict[str, str] = Field(default_factory=dict)
    """Column of the sheet = part of the file names (or column of an earlier sheet) that says the same; if left out, all
    columns whose names are alike but for capitals."""


class Rule(_Section):
    """A value for all images in which a column has one of some values."""

    column: str
    """Column that is made, such as condition."""
    label: str
    """What stands in it …"""
    where: str
    """… where this part of the file names, or this column of a sheet, …"""
    values: tuple[str, ...] = Field(min_length=1)
    """… is one of these; 1 and 01 are the same, so are A1 and A01."""


class Exclusion(_Section):
    """Images that are left out, with the reason."""

    where: str
    """Column of the design, such as well or image …"""
    values: tuple[str, ...] = Field(min_length=1)
    """… and the values of the images that are left out."""
    reason: str = ""
    """Why; reported with the results."""


class DesignSection(_Section):
    """What is known of the images."""

    columns: dict[str, str] = Field(default_factory=dict)
    """Where the words of the design come from if their names differ: condition = "drug", or of several columns
    condition = "drug + dose". The words are plate, well, row, column, field, time, condition, dose, replicate and
    batch."""
    sheets: tuple[Sheet, ...] = ()
    """Tables that are joined to the images, one after the other."""
    assign: tuple[Rule, ...] = ()
    """Columns made by rules; a column whose rules need nothing of the sheets is there before they are joined."""
    names: dict[str, str] = Field(default_factory=dict)
    """Conditions as they are shown, by how they are written in sheets or rules: "01" = "Untreated"."""
    order: tuple[str, ...] = ()
    """Conditions in the order in which they are shown (by their shown names); those not named follow."""
    control: str | None = None
    """Condition (by its shown name) with which the others are compared."""
    positive_control: str | None = None
    """Condition that shows the assay's full effect."""
    plate_wells: Literal[6, 12, 24, 48, 96, 384, 1536] | None = None
    """Wells of a plate; if left out, the smallest of 96, 384 and 1536 that holds all wells."""
    exclude: tuple[Exclusion, ...] = ()
    """Images that are left out, with reasons. A column excluded (yes) with reason in a sheet does the same."""

    @field_validator("columns")
    @classmethod
    def _known_words(cls, columns: dict[str, str]) -> dict[str, str]:
        for word in columns:
            if word not in WORDS:
                raise UnknownName("word of a design called", word, WORDS)
        return columns


class Filters(_Section):
    """Which cells are analysed; what is left out is counted and reported."""

    table: str = "cells"
    """Table of the run that is filtered, and of which the report counts objects and flags: cells, nuclei, …"""
    labels: str | None = None
    """Labels of these objects, for pictures; those of the table's name, or the only ones there are, if left out."""
    keep: tuple[str, ...] = ()
    """Conditions that an object must meet, as in "area_um2 > 20"."""


class Second(_Section):
    """Another segmentation of the same images, whose difference widens the intervals of the results."""

    recipe: str = ""
    """Its recipe, by name or path; that of the study if left empty."""
    set: tuple[str, ...] = ()
    """Parameters that are changed beside those of the study, as in "segment.engine=classical"."""

    @model_validator(mode="after")
    def _differs(self) -> Second:
        if not self.recipe and not self.set:
            raise ParameterError("say in what the second segmentation differs: recipe, set, or both")
        return self


class Output(_Section):
    """What is drawn and written besides the report."""

    figures: tuple[str, ...] | None = None
    """Figures of each value: superplot, estimation, violin, box, jitter, ecdf, histogram, scatter, time; the first two,
    and of positive cells the histogram, if left out."""
    against: str | None = None
    """Second measure, for the figure scatter."""
    time: str | None = None
    """Column of the time, for the figure time."""
    tables: tuple[str, ...] = ("conditions", "workbook", "prism", "r")
    """Tables for others: conditions (a CSV each), workbook (Excel), prism, anndata, r (a script)."""


class StudyFile(_Section):
    """All entries of a ``study.toml``."""

    recipe: str = "any"
    """How images become cells and numbers: a recipe by its name, or the path of a recipe's .toml."""
    set: tuple[str, ...] = ()
    """Parameters of the recipe that are changed, as in "segment.diameter_um=12"."""
    study: About = Field(default_factory=About)
    """What the study is called and what it asks."""
    images: ImagesSection = Field(default_factory=ImagesSection)
    """Where the images are and how they are read."""
    design: DesignSection = Field(default_factory=DesignSection)
    """What is known of the images: which is what, of which replicate, and which are left out."""
    filters: Filters = Field(default_factory=Filters)
    """Which cells are analysed."""
    positive: tuple[TableGate, ...] = ()
    """When an object is positive; each entry makes a column of true and false, and of the fields a column of their
    number: n_ and its name."""
    compare: tuple[TableComparison, ...] = ()
    """Values that are compared between conditions, one entry each."""
    second: Second | None = None
    """Another segmentation that tells how much the results depend on it; left out if it is not asked for."""
    dose_response: tuple[DoseAnalysis, ...] = ()
    """Curves of dose and response, one entry each."""
    output: Output = Field(default_factory=Output)
    """What is drawn and written."""
    style: dict[str, Any] = Field(default_factory=dict)
    """How figures look: width_mm, font_size_pt, labels, …"""


@dataclass(frozen=True)
class Study:
    """A study: where its file is and what that says.

    Parameters
    ----------
    path
        The ``study.toml``.
    said
        Its entries.
    """

    path: Path
    said: StudyFile

    @property
    def folder(self) -> Path:
        """The folder ``NAME.cellmetry/``."""
        return self.path.parent

    @property
    def name(self) -> str:
        """Name in reports."""
        return self.said.study.name or self.folder.resolve().name.removesuffix(STUDY_SUFFIX)

    @property
    def images_folder(self) -> Path:
        """Folder of the images, its whole path."""
        return (self.folder / self.said.images.folder).resolve()

    @property
    def recipe(self) -> str | Path:
        """Name of a shipped recipe, or the path of the study's own."""
        return self._recipe(self.said.recipe)

    @property
    def second_recipe(self) -> str | Path:
        """Recipe of the second segmentation, in the same form."""
        named = "" if self.said.second is None else self.said.second.recipe
        return self._recipe(named or self.said.recipe)

    def _recipe(self, named: str) -> str | Path:
        return self.folder / named if named.lower().endswith(".toml") else named


def sources(name: str) -> tuple[str, ...]:
    """Return the columns that a word of the design is made of: ``drug + dose`` are two."""
    return tuple(part.strip() for part in name.split(" + "))


def load_study(path: str | Path) -> Study:
    """Return the study in a folder ``NAME.cellmetry/``, or of a ``study.toml``.

    Raises
    ------
    MissingInput
        If there is none.
    ParameterError
        If it is not TOML, or an entry is wrong; says which, and the nearest right word.
    """
    path = Path(path)
    file = path / STUDY_FILE if path.is_dir() else path
    if not file.is_file():
        raise MissingInput(f"There is no study {file}; `cellmetry study new FOLDER_OF_IMAGES` makes one.")
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ParameterError(f"{file} is not UTF-8 text ({error.reason} at byte {error.start}); save it so.") from error
    except tomllib.TOMLDecodeError as error:
        raise ParameterError(f"{file} is not valid TOML: {error}.") from error
    return Study(file, parse_study(table, where=str(file)))


def parse_study(table: Mapping[str, Any], *, where: str = STUDY_FILE) -> StudyFile:
    """Return the entries of a study from what its TOML or JSON holds.

    Raises
    ------
    ParameterError
        If an entry is wrong; says which, and the nearest right word.
    """
    return _parsed(StudyFile, table, where, ())


def _parsed(kind: type[P], values: Mapping[str, Any], where: str, path: tuple[str, ...]) -> P:
    """Return parameters whose fields that are parameters themselves are parsed first, so that errors name the place."""
    ready = dict(values)
    for name, part in parts_of(kind).items():
        if name in values:
            ready[name] = _parsed_part(part, values[name], where, (*path, name))
    return parse_parameters(kind, ready, where=f"{where} [{'.'.join(path)}]" if path else where)


def _parsed_part(part: Part, value: Any, where: str, path: tuple[str, ...]) -> Any:
    address, tables = ".".join(path), value if part.many else [value]
    if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
        what = f"a list of tables; begin each [[{address}]]" if part.many else f"a table; begin it [{address}]"
        raise ParameterError(f"{where}: {address} is {what}.")
    if not part.many:
        return _parsed(part.kind, value, where, path)
    *above, name = path
    return [_parsed(part.kind, each, where, (*above, f"{name} {number}")) for number, each in enumerate(tables, 1)]


class Part(NamedTuple):
    """Parameters in a field of others: their type, and whether the field is a list of them."""

    kind: type[Parameters]
    many: bool


def parts_of(kind: type[Parameters]) -> dict[str, Part]:
    """Return the fields that hold parameters themselves: as they are, as a list, or where they may be left out."""
    found: dict[str, Part] = {}
    for name, field in kind.model_fields.items():
        inner = [each for each in (field.annotation, *get_args(field.annotation)) if _is_parameters(each)]
        if inner:
            found[name] = Part(inner[0], get_origin(field.annotation) is tuple)
    return found


def _is_parameters(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Parameters)
